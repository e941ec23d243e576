import { on, type Group } from '../script.ts';

const megabytes = (count: number): Buffer => Buffer.alloc(count << 20, 'nearcache');

export const big: Group = {
  name: 'sizes',
  plain: {
    'values around the sizes of buffers': [16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 262_144].flatMap(
      (size) => [
        ['SET', 'k', Buffer.alloc(size, 'v')],
        'GET k',
        'STRLEN k',
        ['ECHO', Buffer.alloc(size, 'e')],
      ],
    ),
    'many elements': [
      ['RPUSH', 'many', ...Array.from({ length: 5_000 }, (_, i) => `element ${i}`)],
      'LRANGE many 0 -1',
      'LRANGE many -3 -1',
      ['HSET', 'fields', ...Array.from({ length: 400 }, (_, i) => `f${i}`)],
      'HGETALL fields',
      ['ZADD', 'scores', ...Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? `${i / 7}` : `m${i}`))],
      'ZRANGE scores 0 -1 WITHSCORES',
      ['MSET', ...Array.from({ length: 2_000 }, (_, i) => `k${i}`)],
      ['MGET', ...Array.from({ length: 1_000 }, (_, i) => `k${i}`)],
      ['DEL', ...Array.from({ length: 1_000 }, (_, i) => `k${i}`)],
      ['MGET', ...Array.from({ length: 10 }, (_, i) => `k${i}`)],
    ],
  },
  scripts: {
    'a value of 1 MiB and the bytes around it': {
      steps: [-1, 0, 1].flatMap((more) => [
        ['SET', 'k', Buffer.alloc((1 << 20) + more, 'x')],
        'GET k',
        'GET k',
        'GETRANGE k -3 -1',
      ]),
    },
    'a value of 64 MB': {
      steps: [
        ['SET', 'k', megabytes(64)],
        'STRLEN k',
        'GET k',
        'GET k',
        'GET str',
        on('b', 'GETRANGE k 67108860 -1'),
        { on: 'a', pipeline: ['GET str', 'GET k', 'SET k small', 'GET k', 'GET str'] },
        ['APPEND', 'k', megabytes(8)],
        'STRLEN k',
        { on: 'a', pipeline: ['MULTI', ['SET', 'k', megabytes(8)], 'STRLEN k', 'EXEC', 'GET k'] },
        'DEL k',
        'GET k',
      ],
    },
  },
};
