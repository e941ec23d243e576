import { beforeEach, describe, expect, test } from 'vitest';

import type { Redirects } from '../../../src/route/upstream.ts';
import { BlockDetour } from '../../../src/session/block-detour.ts';
import type { ReplyEffect } from '../../../src/session/effect.ts';
import type { Session } from '../../../src/session/session.ts';
import type { Expected, Slot } from '../../../src/session/slot.ts';
import type { Call, CallFailure } from '../../../src/shard/call.ts';
import type { Identity } from '../../../src/shard/identity.ts';
import type { Shard } from '../../../src/shard/shard.ts';
import type { SharedState } from '../../../src/shard/shared-connection.ts';
import { giveReply, SlotDesk } from '../../support/slot-desk.ts';

const PLACE = 7;
const BYTES = Buffer.from('all the requests');
const MOVED = `-MOVED ${PLACE} 127.0.0.1:7002\r\n`;
const ASK = `-ASK ${PLACE} 127.0.0.1:7002\r\n`;
const ABORT = '-EXECABORT Transaction discarded because of previous errors.\r\n';
const REFUSED = `-ERR nearcache: slot ${PLACE} has moved to another node of the Cluster; nothing of the transaction has run, try again\r\n`;
const DONE = '*2\r\n+OK\r\n+OK\r\n';

/** A node's shared connection: what was sent on it, one element a time. */
class Link {
  state: SharedState = 'ready';
  position = 0;
  inFlight = 0;
  obstacle: CallFailure | undefined;
  readonly options = { inFlightMax: 100 };
  sent: { calls: readonly Call[]; bytes: string }[] = [];
  #held: { calls: Call[]; bytes: string } | undefined;

  submitBlock(calls: readonly Call[], bytes: Buffer, start: number, end: number): void {
    this.position++;
    if (this.state === 'ready') this.sent.push({ calls, bytes: bytes.toString('latin1', start, end) });
    else for (const call of calls) call.fail({ kind: 'unsent', reason: 'down' });
  }

  submit(call: Call, bytes: Buffer, start: number, end: number): void {
    this.#held ??= { calls: [], bytes: '' };
    this.#held.calls.push(call);
    this.#held.bytes += bytes.toString('latin1', start, end);
  }

  /** It is connected: what was held is sent. */
  open(): void {
    if (this.#held !== undefined) this.sent.push(this.#held);
  }
}

class Desk extends SlotDesk {
  outOfSteps = 0;

  override outOfStep(): void {
    this.outOfSteps++;
  }
}

let desk: Desk;
let first: Link;
let second: Link;
let session: {
  detours: number;
  woken: number;
  lastPosition: number;
  isClosed: boolean;
  place: number;
};
let redirected: string[];
let effects: string[];
let block: BlockDetour;
let slots: Slot[];

function start({ redirectsMax = 2 } = {}): void {
  desk = new Desk();
  [first, second] = [new Link(), new Link()];
  const shardOf = (link: Link): Shard => {
    const shard = { name: 'a shard', own: {} };
    shard.own = { shared: link, shard, isPassing: false };
    return shard as unknown as Shard;
  };
  const [from, to] = [shardOf(first), shardOf(second)];
  redirected = [];
  const redirects: Redirects = {
    moved: (slot, host, port, asked) => {
      redirected.push(`moved ${slot} ${host}:${port}`);
      return asked === from ? to : from;
    },
    asked: (slot, host, port) => {
      redirected.push(`ask ${slot} ${host}:${port}`);
      return to;
    },
  };
  const state = { detours: 0, woken: 0, lastPosition: 0, isClosed: false, place: PLACE };
  session = Object.assign(state, {
    context: { options: { redirectsMax } },
    user: { at: (shard: Shard) => shard.own },
    wake: () => state.woken++,
  });
  effects = [];
  slots = (['ok', 'queued', 'queued', 'exec'] as Expected[]).map((expected) => {
    const slot = desk.slot();
    slot.expected = expected;
    slot.identity = from.own;
    return slot;
  });
  const effect: ReplyEffect = {
    needsWhole: false,
    replied: () => void effects.push('replied'),
    redirected: () => void effects.push('redirected'),
    failed: () => void effects.push('failed'),
  };
  (slots[3] as Slot).effect = effect;
  block = new BlockDetour(session as unknown as Session, redirects, slots, BYTES);
}

beforeEach(() => start());

/** The node answers them, in order. */
function answer(...lines: string[]): void {
  block.calls.forEach((call, i) => giveReply(call, lines[i] as string));
}

describe('a block that is redirected', () => {
  test('is sent again as a whole when EXEC has answered, and each command has one reply', () => {
    block.calls.slice(0, 3).forEach((call, i) => giveReply(call, ['+OK\r\n', MOVED, MOVED][i] as string));
    expect([desk.out, session.detours, second.sent.length]).toEqual(['+OK\r\n', 1, 0]);
    giveReply(block.calls[3] as Call, ABORT);
    expect(second.sent).toEqual([{ calls: block.calls, bytes: BYTES.toString() }]);
    expect([session.detours, session.woken, session.lastPosition]).toEqual([0, 1, 1]);
    answer('+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', DONE);
    expect(desk.out).toBe(`+OK\r\n+QUEUED\r\n+QUEUED\r\n${DONE}`);
    expect([redirected, effects]).toEqual([['moved 7 127.0.0.1:7002'], ['redirected', 'replied']]);
    expect([desk.settledCount, desk.outOfSteps]).toEqual([4, 0]);
  });

  test('is sent again when only EXEC was redirected, and what was queued is not answered twice', () => {
    answer('+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', MOVED);
    answer('+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', DONE);
    expect(desk.out).toBe(`+OK\r\n+QUEUED\r\n+QUEUED\r\n${DONE}`);
    expect(desk.outOfSteps).toBe(0);
  });

  test('is sent again when only a command was redirected that was queued before', () => {
    answer('+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', MOVED);
    answer('+OK\r\n', MOVED, '+QUEUED\r\n', ABORT);
    answer('+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', DONE);
    expect(desk.out).toBe(`+OK\r\n+QUEUED\r\n+QUEUED\r\n${DONE}`);
  });

  test('is understood however its errors are cut', () => {
    block.calls.forEach((call, i) => {
      const line = ['+OK\r\n', MOVED, MOVED, ABORT][i] as string;
      giveReply(call, line.slice(0, 3), line.slice(3, -1), line.slice(-1));
    });
    expect(second.sent.length).toBe(1);
  });

  test('goes on until its redirects are used up, and is refused then', () => {
    for (let i = 0; i < 3; i++) answer('+OK\r\n', i === 1 ? '+QUEUED\r\n' : MOVED, MOVED, ABORT);
    expect([first.sent.length, second.sent.length]).toEqual([1, 1]);
    expect(desk.out).toBe(`+OK\r\n+QUEUED\r\n${REFUSED}${ABORT}`);
    expect([session.detours, effects.at(-1), desk.settledCount]).toEqual([0, 'replied', 4]);
  });

  test('is refused when its slot is only about to leave', () => {
    answer('+OK\r\n', '+QUEUED\r\n', ASK, ABORT);
    expect([desk.out, second.sent.length]).toEqual([`+OK\r\n+QUEUED\r\n${REFUSED}${ABORT}`, 0]);
    expect([redirected, session.detours]).toEqual([['ask 7 127.0.0.1:7002'], 0]);
  });

  test('is not followed to the slot of another key', () => {
    const other = '-MOVED 8 127.0.0.1:7002\r\n';
    answer('+OK\r\n', other, '+QUEUED\r\n', ABORT);
    expect([desk.out, redirected]).toEqual([`+OK\r\n${other}+QUEUED\r\n${ABORT}`, []]);
  });

  test('waits for a node that is being connected to, in one piece', () => {
    second.state = 'connecting';
    answer('+OK\r\n', MOVED, MOVED, ABORT);
    second.open();
    expect(second.sent).toEqual([{ calls: block.calls, bytes: BYTES.toString() }]);
  });

  test('is refused where not all of it could wait', () => {
    second.state = 'connecting';
    second.inFlight = second.options.inFlightMax - 4;
    answer('+OK\r\n', MOVED, MOVED, ABORT);
    second.open();
    expect(second.sent).toEqual([]);
    expect(desk.out.match(/-[^\r]*busy|-[^\r]*100/g)?.length).toBe(3);
  });

  test('fails as a whole where its node is away', () => {
    second.state = 'down';
    answer('+OK\r\n', MOVED, '+QUEUED\r\n', ABORT);
    expect(desk.out).toMatch(
      /^\+OK\r\n\+QUEUED\r\n-[^\r]*unreachable[^\r]*\r\n-[^\r]*unreachable[^\r]*\r\n$/,
    );
    expect([session.detours, effects, desk.settledCount]).toEqual([0, ['redirected', 'failed'], 4]);
  });

  test('fails as a whole where nothing may be sent now, also while that is being connected to', () => {
    for (const state of ['ready', 'connecting'] as const) {
      start();
      second.state = state;
      second.obstacle = { kind: 'unsent', reason: 'not now' };
      answer('+OK\r\n', MOVED, MOVED, ABORT);
      second.open();
      expect([second.sent, desk.settledCount, session.detours]).toEqual([[], 4, 0]);
      expect(desk.out.match(/not now/g)?.length).toBe(3);
    }
  });

  test('answers what it held back when the connection is lost before EXEC is answered', () => {
    block.calls.slice(0, 3).forEach((call, i) => giveReply(call, ['+OK\r\n', MOVED, MOVED][i] as string));
    block.calls[3]?.fail({ kind: 'lost', reason: 'gone' });
    expect(desk.out.split('\r\n').filter((line) => line.includes('has moved')).length).toBe(2);
    expect([session.detours, desk.settledCount]).toEqual([0, 4]);
  });

  test('is not sent again when the app was told that it has timed out', () => {
    block.calls.slice(0, 3).forEach((call, i) => giveReply(call, ['+OK\r\n', MOVED, MOVED][i] as string));
    block.calls[3]?.fail({ kind: 'timeout', reason: 'late' });
    expect(session.detours).toBe(0);
    giveReply(block.calls[3] as Call, ABORT);
    expect(second.sent).toEqual([]);
    expect(desk.out).not.toContain(ABORT);
    expect([session.detours, desk.settledCount]).toEqual([0, 4]);
  });

  test('ends with a session that was somebody', () => {
    session.isClosed = true;
    for (const slot of slots) slot.identity = { ...(slot.identity as Identity) };
    answer('+OK\r\n', MOVED, MOVED, ABORT);
    expect([second.sent.length, desk.settledCount]).toEqual([0, 4]);
  });

  test.each([
    ['MULTI is refused', ['-ERR no\r\n', '+QUEUED\r\n', '+QUEUED\r\n', DONE]],
    ['a command runs', ['+OK\r\n', ':1\r\n', '+QUEUED\r\n', DONE]],
  ])('is out of step when %s the second time', (_, lines) => {
    answer('+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', MOVED);
    answer(...lines);
    expect(desk.outOfSteps).toBe(1);
  });
});
