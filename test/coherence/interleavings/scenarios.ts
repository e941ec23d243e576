import type { Scenario } from './scenario.ts';

const ONE = [['SET', 'k', '1']];
/** The second is a hit: what is written then is read again behind the write. */
const IN_USE = [
  ['GET', 'k'],
  ['GET', 'k'],
];
const TWO = [['MSET', 'a', 'a1', 'b', 'b1']];

/** Small enough that every order can be tried. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'two reads, a write, another program and a lost link: two sessions',
    keys: ['k'],
    before: ONE,
    clients: { A: [[['GET', 'k']], [['GET', 'k']]], B: [[['INCR', 'k']]] },
    outside: [['INCR', 'k']],
    cuts: 1,
  },
  {
    name: 'two reads, a write, another program and a lost link: one session',
    keys: ['k'],
    before: ONE,
    clients: { A: [[['GET', 'k']], [['INCR', 'k']], [['GET', 'k']]] },
    outside: [['INCR', 'k']],
    cuts: 1,
  },
  {
    name: 'a read, a write, another program and a lost link: a warm cache',
    keys: ['k'],
    before: ONE,
    warm: [['GET', 'k']],
    clients: { A: [[['GET', 'k']]], B: [[['INCR', 'k']]] },
    outside: [['INCR', 'k']],
    cuts: 1,
  },
  {
    name: 'two reads and a write of two keys, and another program',
    keys: ['a', 'b'],
    before: TWO,
    warm: [['GET', 'b']],
    clients: { A: [[['GET', 'a']], [['GET', 'b']]], B: [[['SET', 'a', 'a2']]] },
    outside: [['MSET', 'a', 'a3', 'b', 'b3']],
  },
  {
    name: 'a pipelined read behind its own write',
    keys: ['k'],
    before: ONE,
    warm: [['GET', 'k']],
    clients: {
      A: [
        [
          ['INCR', 'k'],
          ['GET', 'k'],
        ],
      ],
      B: [[['GET', 'k']]],
    },
    outside: [['INCR', 'k']],
    cuts: 1,
  },
  {
    name: 'a pipelined hit behind a miss',
    keys: ['a', 'b'],
    before: TWO,
    warm: [['GET', 'b']],
    clients: {
      A: [
        [
          ['GET', 'a'],
          ['GET', 'b'],
        ],
      ],
      B: [[['SET', 'b', 'b2']]],
    },
    outside: [
      ['MSET', 'a', 'a3', 'b', 'b3'],
      ['MSET', 'a', 'a4', 'b', 'b4'],
    ],
  },
  {
    name: 'pipelined hits behind a miss, of which another session asks for one',
    keys: ['a', 'b', 'c'],
    before: [['MSET', 'a', 'a1', 'b', 'b1', 'c', 'c1']],
    warm: [
      ['GET', 'b'],
      ['GET', 'c'],
    ],
    clients: {
      A: [
        [
          ['GET', 'a'],
          ['GET', 'b'],
          ['GET', 'c'],
        ],
      ],
      B: [[['GET', 'c']]],
    },
    outside: [['MSET', 'a', 'a3', 'b', 'b3', 'c', 'c3']],
  },
  {
    name: 'a write of two keys, of which the second is cached',
    keys: ['a', 'b'],
    before: TWO,
    warm: [['GET', 'b']],
    clients: { A: [[['GET', 'b']]], B: [[['MSET', 'a', 'a2', 'b', 'b2']]] },
  },
  {
    name: 'reads of two keys while both are written',
    keys: ['a', 'b'],
    before: TWO,
    warm: [['GET', 'b']],
    clients: { A: [[['MGET', 'a', 'b']], [['EXISTS', 'a', 'b']]], B: [[['MSET', 'a', 'a2', 'b', 'b2']]] },
    outside: [['MSET', 'a', 'a3', 'b', 'b3']],
  },
  {
    name: 'one answer from two keys while both are written',
    keys: ['a', 'b'],
    before: TWO,
    warm: [
      ['GET', 'b'],
      ['LCS', 'a', 'b'],
    ],
    clients: { A: [[['LCS', 'a', 'b']], [['LCS', 'a', 'b']]], B: [[['SET', 'b', 'a1']]] },
    outside: [['MSET', 'a', 'a3', 'b', 'a3b3']],
  },
  {
    name: 'reads of two keys one of which is cached and goes away',
    keys: ['a', 'b'],
    before: TWO,
    warm: [['GET', 'b']],
    clients: { A: [[['MGET', 'a', 'b']], [['EXISTS', 'b', 'a']]], B: [[['DEL', 'a', 'b']]] },
    outside: [['MSET', 'a', 'a3', 'b', 'b3']],
  },
  {
    name: 'a script that writes what it does not declare',
    keys: ['k'],
    before: ONE,
    warm: [['GET', 'k']],
    clients: { A: [[['GET', 'k']]], B: [[['EVAL', 'incr', '0', 'k']]] },
    outside: [['INCR', 'k']],
    cuts: 1,
  },
  {
    name: 'a flush',
    keys: ['k'],
    before: ONE,
    clients: { A: [[['GET', 'k']], [['GET', 'k']]], B: [[['FLUSHALL']]] },
    cuts: 1,
  },
  {
    name: 'two databases change places, of which Redis says nothing',
    keys: ['k'],
    before: ONE,
    warm: [['GET', 'k']],
    // No link is cut: what a lost link still does to databases, nobody is told (a limit of SWAPDB, as from elsewhere).
    clients: { A: [[['GET', 'k']], [['GET', 'k']]], B: [[['SWAPDB', '0', '1']]] },
  },
  {
    name: 'a transaction that arrives whole',
    keys: ['k'],
    before: ONE,
    clients: {
      A: [[['GET', 'k']], [['GET', 'k']]],
      B: [[['MULTI'], ['INCR', 'k'], ['GET', 'k'], ['EXEC']]],
    },
    outside: [['INCR', 'k']],
  },
  {
    name: 'reads under WATCH on a connection of its own, and others on the shared one',
    keys: ['k'],
    before: ONE,
    warm: [['GET', 'k']],
    clients: {
      A: [
        [
          ['WATCH', 'k'],
          ['GET', 'k'],
        ],
      ],
      B: [[['GET', 'k']]],
    },
    outside: [['INCR', 'k']],
    scope: 'same key',
  },
  {
    name: 'a transaction on a connection of its own, and reads on the shared one',
    keys: ['k'],
    before: ONE,
    clients: {
      A: [[['WATCH', 'x'], ['MULTI'], ['INCR', 'k'], ['EXEC']]],
      B: [[['GET', 'k']]],
      C: [[['GET', 'k']]],
    },
    scope: 'same key',
  },
  {
    name: 'an invalidation that is late by more than D',
    keys: ['k'],
    before: ONE,
    warm: [['GET', 'k']],
    clients: { A: [[['GET', 'k']], [['GET', 'k']]] },
    outside: [['INCR', 'k']],
    pauses: [1100],
  },
  {
    name: 'an answer that is late by more than D',
    keys: ['k'],
    before: ONE,
    clients: { A: [[['GET', 'k']]], B: [[['GET', 'k']]] },
    outside: [['INCR', 'k']],
    pauses: [1100],
  },
  {
    name: 'a pipelined read behind its own write, and another read on its way',
    keys: ['k'],
    before: ONE,
    clients: {
      A: [
        [
          ['INCR', 'k'],
          ['GET', 'k'],
        ],
        [
          ['EVAL', 'incr', '0', 'k'],
          ['GET', 'k'],
        ],
      ],
      B: [[['GET', 'k']]],
    },
  },
  {
    name: 'a pipelined read behind that of another key, and the same read on its way',
    keys: ['a', 'b'],
    before: TWO,
    clients: {
      A: [
        [
          ['GET', 'a'],
          ['GET', 'b'],
        ],
      ],
      B: [[['GET', 'b']]],
    },
    outside: [['MSET', 'a', 'a3', 'b', 'b3']],
  },
  {
    name: 'the end of a key while its value is on the way',
    keys: ['k'],
    before: [['SET', 'k', '1', 'PX', '100']],
    clients: { A: [[['GET', 'k']]], B: [[['GET', 'k']]] },
    pauses: [60, 60],
  },
  {
    name: 'a link that is lost in the middle of an invalidation',
    keys: ['k'],
    before: ONE,
    warm: [['GET', 'k']],
    clients: { A: [[['GET', 'k']]] },
    outside: [
      ['INCR', 'k'],
      ['INCR', 'k'],
    ],
    cuts: 1,
    piece: 16,
  },
  {
    name: 'a read that follows a write by itself, and another program',
    keys: ['k'],
    before: ONE,
    warm: IN_USE,
    clients: { A: [[['GET', 'k']]], B: [[['INCR', 'k']]] },
    outside: [['INCR', 'k']],
    cuts: 1,
  },
  {
    name: 'reads that follow two writes by themselves, of which one is followed by its own',
    keys: ['k'],
    before: ONE,
    warm: IN_USE,
    clients: {
      A: [
        [
          ['INCR', 'k'],
          ['GET', 'k'],
        ],
      ],
      B: [[['INCR', 'k']]],
      C: [[['GET', 'k']]],
    },
  },
  {
    name: 'a read that follows a write by itself, and a transaction on a connection of its own',
    keys: ['k'],
    before: ONE,
    warm: IN_USE,
    clients: {
      A: [[['WATCH', 'x'], ['MULTI'], ['INCR', 'k'], ['EXEC']]],
      B: [[['INCR', 'k']]],
      C: [[['GET', 'k']]],
    },
    scope: 'same key',
  },
];
