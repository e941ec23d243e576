import { beforeEach, describe, expect, test } from 'vitest';

import { KeyList } from '../../../src/command/keys.ts';
import { commandByName } from '../../../src/command/table.ts';
import { findForeignKeys, isForeign, learnForeign } from '../../../src/session/foreign-commands.ts';
import type { Session } from '../../../src/session/session.ts';
import type { Call } from '../../../src/shard/call.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { requestOf } from '../../support/request-of.ts';
import { giveReply } from '../../support/slot-desk.ts';

/** A row of COMMAND INFO as far as it is read; behind it what Redis 7 tells of subcommands. */
function row(
  name: string,
  [first, last, step]: readonly number[],
  flags = '*0\r\n',
  ...subcommands: string[]
): string {
  const places = [first, last, step].map((value) => `:${value}\r\n`).join('');
  const nested = `*${subcommands.length}\r\n${subcommands.join('')}`;
  return `*10\r\n$${name.length}\r\n${name}\r\n:-2\r\n${flags}${places}*0\r\n*0\r\n*0\r\n${nested}`;
}

let clock: ManualClock;
let asked: { call: Call; question: string }[];
let home: object;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  const submit = (call: Call, bytes: Buffer): void =>
    void asked.push({ call, question: bytes.toString('latin1').split('\r\n')[6] as string });
  home = { own: { control: { submit } } };
});

/** How often it was woken. */
function sessionOf(): Session & { woken: number } {
  const session = {
    woken: 0,
    now: clock.now(),
    wake: () => {
      session.woken++;
      session.now = clock.now();
    },
    context: { clock, options: { commandTimeoutMs: 1000 }, upstream: { home } },
  };
  return session as unknown as Session & { woken: number };
}

function learn(session: Session, ...args: string[]): ReturnType<typeof learnForeign> {
  return learnForeign(session, requestOf(...args));
}

/** The keys that are found, after the home shard has answered so; 'unclear' = it has some. */
function keysOf(reply: string, ...args: string[]): string[] | 'unclear' {
  const session = sessionOf();
  expect(learn(session, ...args)).toBe('wait');
  giveReply(asked[0]?.call as Call, reply);
  expect(learn(session, ...args)).toBe('known');
  const keys = new KeyList();
  if (!findForeignKeys(session, requestOf(...args), keys)) return 'unclear';
  return Array.from({ length: keys.count }, (_, i) => args[keys.indices[i] as number] as string);
}

describe('where the keys of a command are that the table does not know', () => {
  test.each([
    ['one', row('new', [1, 1, 1]), ['new', 'a', 'b'], ['a']],
    ['every other', row('new', [2, -1, 2]), ['new', 'x', 'a', 'y', 'b', 'z'], ['a', 'b']],
    ['all but the last', row('new', [1, -2, 1]), ['new', 'a', 'b', 'x'], ['a', 'b']],
    ['fewer than there should be', row('new', [1, 3, 1]), ['new', 'a'], ['a']],
    ['none', row('new', [0, 0, 0]), ['new', 'x'], []],
    ['none that any server knows', '*-1\r\n', ['new', 'x'], []],
  ])('is told by the home shard: %s', (_, info, args, expected) => {
    expect(keysOf(`*1\r\n${info}`, ...args)).toEqual(expected);
  });

  test('is unclear when it depends on the arguments', () => {
    expect(keysOf(`*1\r\n${row('new', [1, 1, 1], '*2\r\n+write\r\n+movablekeys\r\n')}`, 'new', 'a')).toBe(
      'unclear',
    );
  });

  test('is told of each subcommand', () => {
    const info = row('new', [0, 0, 0], '*0\r\n', row('new|get', [2, 2, 1]), row('new|help', [0, 0, 0]));
    expect(keysOf(`*1\r\n${info}`, 'new', 'GET', 'a')).toEqual(['a']);
    asked = [];
    home = { own: (home as { own: object }).own };
    expect(keysOf(`*1\r\n${info}`, 'NEW', 'nothing', 'a')).toEqual([]);
  });

  test('is asked once for all who wait', () => {
    const [one, two] = [sessionOf(), sessionOf()];
    for (const session of [one, two, one]) expect(learn(session, 'New', 'a')).toBe('wait');
    expect(asked.map(({ question }) => question)).toEqual(['new']);
    giveReply(asked[0]?.call as Call, `*1\r\n${row('new', [1, 1, 1])}`);
    expect([one.woken, two.woken]).toEqual([1, 1]);
    clock.advance(3_600_000);
    expect(learn(sessionOf(), 'new', 'b')).toBe('known');
  });

  test('is asked again a second after no server knew the command', () => {
    expect(keysOf('*1\r\n*-1\r\n', 'new', 'a')).toEqual([]);
    clock.advance(999);
    expect(learn(sessionOf(), 'new', 'a')).toBe('known');
    clock.advance(1);
    expect(learn(sessionOf(), 'new', 'a')).toBe('wait');
  });

  test.each([
    ['is away', (call: Call): void => call.fail({ kind: 'unsent', reason: 'it is away' }), 'it is away'],
    ['may not tell', (call: Call): void => giveReply(call, '-NOPERM no\r\n'), 'COMMAND INFO was refused'],
  ])('is not known while the home shard %s, and then asked again', (_, answer, problem) => {
    const session = sessionOf();
    learn(session, 'new', 'a');
    answer(asked[0]?.call as Call);
    expect(session.woken).toBe(1);
    expect(learn(session, 'new', 'a')).toMatchObject({ problem });
    clock.advance(1000);
    expect(learn(sessionOf(), 'new', 'a')).toBe('wait');
  });

  test('is not asked when there are no arguments, or no server has such a name', () => {
    expect([learn(sessionOf(), 'new'), learn(sessionOf(), 'n'.repeat(129), 'a')]).toEqual(['known', 'known']);
    expect(asked).toEqual([]);
  });

  test('is asked of a container whose subcommand the table does not have', () => {
    const specs = [undefined, commandByName('object'), commandByName('object|freq'), commandByName('get')];
    expect(specs.map((spec) => isForeign(spec))).toEqual([true, true, false, false]);
  });
});
