import { beforeEach, describe, expect, test } from 'vitest';

import type { Flight } from '../../../src/cache/flight.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import { ReadCall, TtlCall } from '../../../src/session/read-call.ts';
import type { Slot } from '../../../src/session/slot.ts';
import type { Resp2Shape } from '../../../src/protocol/resp2-shapes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { cachedReply, nearCacheOf, startFlight, trackingGeneration } from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';
import { giveReply, SlotDesk } from '../../support/slot-desk.ts';

const ID = idOf('k');
const MAX_ITEM_BYTES = 10_000;

let cache: NearCache;
let clock: ManualClock;
/** What the near-cache had at the moment when something was released. */
let seen: (string | undefined)[];
let desks: SlotDesk[];

beforeEach(() => {
  cache = nearCacheOf({ maxItemBytes: MAX_ITEM_BYTES });
  clock = new ManualClock();
  seen = [];
  desks = Array.from({ length: 3 }, () => new SlotDesk(() => seen.push(cached())));
});

function cached(proto: 2 | 3 = 3): string | undefined {
  return cachedReply(cache, ID, clock.now(), proto);
}

function start(shape: Resp2Shape = 'plain', pttl = -1): ReadCall {
  const flight = startFlight(cache, ID, { generation: trackingGeneration(), pttl, now: clock.now() });
  const read = new ReadCall(cache, flight, shape, clock);
  flight.read = read;
  return read;
}

function waitFor(read: ReadCall): Slot[] {
  const slots = desks.map((desk) => desk.slot());
  read.waiters.push(...slots);
  return slots;
}

describe('a read on its way', () => {
  test('fills with its reply, before that is released', () => {
    const read = start();
    waitFor(read);
    giveReply(read, '$1\r\nv\r\n');
    expect(desks.map(({ out }) => out)).toEqual(['$1\r\nv\r\n', '$1\r\nv\r\n', '$1\r\nv\r\n']);
    expect(seen).toEqual(['$1\r\nv\r\n', '$1\r\nv\r\n', '$1\r\nv\r\n']);
    expect(desks.map(({ settledCount }) => settledCount)).toEqual([1, 1, 1]);
  });

  test('that nobody waits for fills all the same', () => {
    giveReply(start(), '$1\r\nv\r\n');
    expect(cached()).toBe('$1\r\nv\r\n');
  });

  test('whose reply comes in pieces fills with all of them', () => {
    const read = start();
    waitFor(read);
    giveReply(read, '$8\r\nva', 'lu', 'abl', 'e\r\n');
    expect(desks.map(({ out }) => out)).toEqual(Array(3).fill('$8\r\nvaluable\r\n'));
    expect(cached()).toBe('$8\r\nvaluable\r\n');
    expect(cache.stats.fills).toBe(1);
  });

  test('whose reply is over the limit passes it on whole, and keeps nothing', () => {
    const read = start();
    waitFor(read);
    const half = 'x'.repeat(MAX_ITEM_BYTES);
    giveReply(read, `$${2 * MAX_ITEM_BYTES}\r\n`, half, half, '\r\n');
    expect(desks[2]?.out).toHaveLength(2 * MAX_ITEM_BYTES + 10);
    expect(cached()).toBeUndefined();
    expect(cache.stats.refused.size).toBe(1);
  });

  test('is open to others until the first bytes of its reply', () => {
    const read = start();
    expect(read.isOpen).toBe(true);
    const chunk = Buffer.from('$8\r\nva');
    read.reply(chunk, 0, chunk.length, false, { type: 0x24, hasResp3: false });
    expect(read.isOpen).toBe(false);
    expect(cache.findRead('k', ID, clock.now())).toBeUndefined();
  });

  test('whose key was written meanwhile answers who waits, and does not fill', () => {
    const read = start();
    waitFor(read);
    cache.revoke('k');
    giveReply(read, '$1\r\nv\r\n');
    expect(desks[0]?.out).toBe('$1\r\nv\r\n');
    expect(cached()).toBeUndefined();
  });

  test('remembers how long it took', () => {
    const read = start();
    clock.advance(7);
    giveReply(read, '$1\r\nv\r\n');
    cached();
    expect(cache.store.found.loadMs).toBe(7);
  });

  test.each<[string, Resp2Shape, boolean]>([
    ['$1\r\nv\r\n', 'plain', true],
    ['_\r\n', 'plain', false],
    ['%0\r\n', 'plain', false],
    ['*0\r\n', 'plain', true],
  ])('keeps %j of the shape %s for RESP2 too: %s', (reply, shape, isSame) => {
    giveReply(start(shape), reply);
    expect(cached(3)).toBe(reply);
    expect(cached(2) !== undefined).toBe(isSame);
  });

  test('keeps no error, and drops everything at a NOPERM', () => {
    giveReply(start(), '$1\r\nv\r\n');
    giveReply(start(), '-WRONGTYPE of another kind\r\n');
    expect(cached()).toBe('$1\r\nv\r\n');
    giveReply(start(), '-NOPERM not any more\r\n');
    expect(cached()).toBeUndefined();
    expect(cache.stats.flushes).toBe(1);
  });
});

describe('a read that fails', () => {
  test.each(['lost', 'unsent', 'busy'] as const)('as %s tells everybody, and the next one is new', (kind) => {
    const read = start();
    waitFor(read);
    read.fail({ kind, reason: 'gone' });
    for (const desk of desks) {
      expect(desk.out).toMatch(/^-ERR nearcache: .*\r\n$/);
      expect([desk.ownErrors, desk.settledCount]).toEqual([1, 1]);
    }
    expect(read.isOpen).toBe(false);
    expect(cache.findRead('k', ID, clock.now())).toBeUndefined();
  });

  test('by a time-out tells everybody, and its late reply goes to nobody', () => {
    const read = start();
    for (const slot of waitFor(read)) slot.timeoutMs = 5000;
    read.fail({ kind: 'timeout', reason: 'late' });
    read.hasTimedOut = true;
    for (const desk of desks) expect(desk.out).toContain('did not answer within 5000 ms');
    expect(cache.findRead('k', ID, clock.now())).toBeUndefined();
    const told = desks.map(({ out }) => out);
    giveReply(read, '$4\r\nva', 'lu\r\n');
    expect(desks.map(({ out }) => out)).toEqual(told);
    expect(desks.map(({ settledCount, keptBytes }) => [settledCount, keptBytes])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(cached()).toBeUndefined();
  });

  test('by a time-out and then with its link tells everybody once', () => {
    const read = start();
    waitFor(read);
    read.fail({ kind: 'timeout', reason: 'late' });
    read.hasTimedOut = true;
    read.fail({ kind: 'lost', reason: 'gone' });
    for (const desk of desks) expect(desk.out.match(/-ERR/g)).toHaveLength(1);
    expect(desks.map(({ settledCount }) => settledCount)).toEqual([1, 1, 1]);
  });
});

describe('the PTTL in front of a read', () => {
  function flightOf(...pieces: string[]): Flight {
    const { flight } = start('plain', Number.NaN);
    giveReply(new TtlCall(flight), ...pieces);
    return flight;
  }

  test.each([':-1', ':-2', ':0', ':123456789'])('%s is what the flight gets', (line) => {
    expect(flightOf(`${line}\r\n`).pttl).toBe(Number(line.slice(1)));
  });

  test('is read in any pieces', () => {
    expect(flightOf(':12', '34\r\n').pttl).toBe(1234);
    expect(flightOf(':', '5', '678\r', '\n').pttl).toBe(5678);
    expect(flightOf(':12').pttl).toBeNaN();
  });

  test('an error is none, and leaves the link trusted', () => {
    const flight = flightOf('-BUSY a script runs\r\n');
    expect(flight.pttl).toBeNaN();
    expect(flight.generation.isTracking).toBe(true);
    const refused = flightOf('-NOPERM No permissions to access a key\r\n');
    expect(refused.generation.isTracking).toBe(true);
  });

  test('a user who may not ask for it is not cached on this link', () => {
    const flight = flightOf("-NOPERM User joe has no permissions to run the 'pttl' command\r\n");
    expect(flight.pttl).toBeNaN();
    expect(flight.generation.isTracking).toBe(false);
  });
});
