import { beforeEach, describe, expect, test } from 'vitest';

import { merge } from '../../../src/route/merge.ts';
import { FanIn } from '../../../src/session/fan-in.ts';
import type { Session } from '../../../src/session/session.ts';
import type { Slot } from '../../../src/session/slot.ts';
import type { Identity } from '../../../src/shard/identity.ts';
import { giveReply, SlotDesk } from '../../support/slot-desk.ts';

/** Stands in for the session, as far as a command in parts needs it. */
class SessionDesk extends SlotDesk {
  override isClosed = false;
  timeouts = 0;

  override timedOut(): void {
    this.timeouts++;
  }
}

const sums = (frames: readonly Buffer[]): Buffer => merge('sum', frames, { command: 'del' });

function identityAt(name: string): Identity {
  return { shard: { name } } as unknown as Identity;
}

let desk: SessionDesk;
let slot: Slot;
let fanIn: FanIn;
let parts: Slot[];

function begin(count: number, combine: (frames: readonly Buffer[]) => Buffer = sums): void {
  fanIn = new FanIn(desk as unknown as Session, slot, count, combine);
  parts = Array.from({ length: count }, (_, i) => fanIn.part(identityAt(`shard${i}`)));
}

function part(i: number): Slot {
  return parts[i] as Slot;
}

/** As a connection does it. */
function timeOut(call: Slot): void {
  call.fail({ kind: 'timeout', reason: '' });
  call.hasTimedOut = true;
}

beforeEach(() => {
  desk = new SessionDesk();
  slot = desk.slot();
  slot.timeoutMs = 50;
});

describe('a command in parts', () => {
  test('is answered once all have come, in whatever order and pieces', () => {
    begin(3);
    giveReply(part(2), ':3\r', '\n');
    giveReply(part(0), ':1\r\n');
    expect(desk.out).toBe('');
    giveReply(part(1), ':', '2\r\n');
    expect(desk.out).toBe(':6\r\n');
    expect(desk).toMatchObject({ settledCount: 1, keptBytes: 0, ownErrors: 0 });
  });

  test('gets the replies in the order in which its parts were made', () => {
    begin(3, (frames) =>
      Buffer.concat([Buffer.from('+'), ...frames.map((frame) => frame.subarray(1, 2)), Buffer.from('\r\n')]),
    );
    for (const i of [1, 2, 0]) giveReply(part(i), `:${i}\r\n`);
    expect(desk.out).toBe('+012\r\n');
  });

  test('fails with the error of the part that failed, once the others have come', () => {
    begin(3);
    part(1).fail({ kind: 'lost', reason: 'gone' });
    giveReply(part(0), ':1\r\n');
    expect(desk.out).toBe('');
    giveReply(part(2), ':1\r\n');
    expect(desk.out).toBe(
      '-ERR nearcache: shard shard1 was lost (gone) before its reply; outcome unknown\r\n',
    );
    expect(desk).toMatchObject({ settledCount: 1, keptBytes: 0, ownErrors: 1 });
  });

  test('tells the first error in the order of its parts', () => {
    begin(3);
    giveReply(part(2), '-ERR two\r\n');
    giveReply(part(1), '-ERR one\r\n');
    giveReply(part(0), ':1\r\n');
    expect(desk.out).toBe('-ERR one\r\n');
  });

  test('names the shard that did not answer in time, and settles when it does', () => {
    begin(2);
    giveReply(part(0), ':1\r\n');
    timeOut(part(1));
    expect(desk.out).toBe('-ERR nearcache: shard shard1 did not answer within 50 ms; outcome unknown\r\n');
    expect(desk).toMatchObject({ settledCount: 0, keptBytes: 0, timeouts: 1 });
    giveReply(part(1), ':1\r\n');
    expect(desk).toMatchObject({ settledCount: 1, keptBytes: 0, timeouts: 1 });
    expect(desk.out).toMatch(/^[^\n]*\n$/);
  });

  test('waits for the others when one did not answer in time, and for the connection that is lost then', () => {
    begin(3);
    timeOut(part(0));
    giveReply(part(2), ':1\r\n');
    expect(desk.out).toBe('');
    giveReply(part(1), ':1\r\n');
    expect(desk.out).toMatch(/shard shard0 did not answer/);
    expect(desk.settledCount).toBe(0);
    part(0).fail({ kind: 'lost', reason: 'gone' });
    expect(desk).toMatchObject({ settledCount: 1, keptBytes: 0 });
  });

  test('of which all are late is answered once and settled with the last', () => {
    begin(2);
    timeOut(part(0));
    timeOut(part(1));
    expect(desk.out).toMatch(/^-ERR nearcache: shard shard\d did not answer[^\n]*\n$/);
    giveReply(part(0), ':1\r\n');
    expect(desk.settledCount).toBe(0);
    giveReply(part(1), ':1\r\n');
    expect(desk).toMatchObject({ settledCount: 1, keptBytes: 0 });
  });

  test('settles with its last part when its session has gone, and says nothing', () => {
    let failed = 0;
    slot.effect = {
      needsWhole: false,
      replied: () => undefined,
      failed: () => {
        failed++;
      },
    } as unknown as NonNullable<Slot['effect']>;
    begin(2);
    giveReply(part(0), ':1\r\n');
    desk.isClosed = true;
    giveReply(part(1), ':1\r\n');
    expect({ failed, settled: desk.settledCount }).toEqual({ failed: 1, settled: 1 });
  });

  test('runs the effect of the whole command when the last part has come, not before', () => {
    const seen: string[] = [];
    slot.effect = {
      needsWhole: false,
      replied: () => seen.push(desk.out),
      failed: () => seen.push('failed'),
    } as unknown as NonNullable<Slot['effect']>;
    begin(2);
    giveReply(part(0), ':1\r\n');
    expect(seen).toEqual([]);
    giveReply(part(1), ':1\r\n');
    expect([seen, desk.out]).toEqual([[''], ':2\r\n']);
  });
});
