import { describe, expect, test } from 'vitest';

import { type ClusterError, parseRedirect } from '../../../src/route/redirect.ts';

/** Looked at in the middle of other replies, so that a position taken for an offset is noticed. */
function parse(reply: string): ClusterError | undefined {
  const bytes = Buffer.from(`+before\r\n${reply}-MOVED 1 h:1\r\n`, 'latin1');
  return parseRedirect(bytes, 9, 9 + reply.length);
}

describe('a redirect', () => {
  test.each([
    ['-MOVED 3999 127.0.0.1:6381\r\n', { kind: 'moved', slot: 3999, host: '127.0.0.1', port: 6381 }],
    ['-ASK 0 127.0.0.1:1\r\n', { kind: 'ask', slot: 0, host: '127.0.0.1', port: 1 }],
    ['-MOVED 16383 ::1:65535\r\n', { kind: 'moved', slot: 16_383, host: '::1', port: 65_535 }],
    ['-ASK 7 2001:db8::7:6379\r\n', { kind: 'ask', slot: 7, host: '2001:db8::7', port: 6379 }],
    [
      '-MOVED 5 redis-0.redis.svc.cluster.local:6379\r\n',
      { kind: 'moved', slot: 5, host: 'redis-0.redis.svc.cluster.local', port: 6379 },
    ],
    ['-MOVED 5 :6379\r\n', { kind: 'moved', slot: 5, host: '', port: 6379 }],
    ['-MOVED 5 ?:6379\r\n', { kind: 'moved', slot: 5, host: '', port: 6379 }],
    ['-MOVED 5 h:6379', { kind: 'moved', slot: 5, host: 'h', port: 6379 }],
  ])('is read from %j', (reply, expected) => {
    expect(parse(reply)).toEqual(expected);
  });

  test('may name a host of 253 chars', () => {
    const host = 'h'.repeat(253);
    expect(parse(`-MOVED 16383 ${host}:65535\r\n`)).toMatchObject({ host, port: 65_535 });
  });
});

test.each([
  ['-TRYAGAIN Multiple keys request during rehashing of slot\r\n', 'tryagain'],
  ['-CLUSTERDOWN The cluster is down\r\n', 'clusterdown'],
  ['-CLUSTERDOWN Hash slot not served\r\n', 'clusterdown'],
] as const)('%j is %s', (reply, expected) => {
  expect(parse(reply)).toBe(expected);
});

test.each([
  '+MOVED 1 h:1\r\n',
  '$5\r\n-MOVE\r\n',
  '-ERR unknown command\r\n',
  '-MISCONF Errors writing\r\n',
  '-MASTERDOWN Link with MASTER is down\r\n',
  '-MOVED\r\n',
  '-MOVED 16384 h:1\r\n',
  '-MOVED -1 h:1\r\n',
  '-MOVED 1 h\r\n',
  '-MOVED 1 h:0\r\n',
  '-MOVED 1 h:65536\r\n',
  '-MOVED 1 h:6379 more\r\n',
  '-MOVEDX 1 h:1\r\n',
  '-moved 1 h:1\r\n',
  `-MOVED 1 ${'h'.repeat(400)}:1\r\n`,
  '-ASKED 1 h:1\r\n',
  '-TRYAGAINST x\r\n',
  '-CLUSTERDOWNX x\r\n',
  '-CROSSSLOT Keys in request\r\n',
  '-',
  '',
])('%j is none', (reply) => {
  expect(parse(reply)).toBeUndefined();
});
