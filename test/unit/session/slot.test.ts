import { beforeEach, expect, test } from 'vitest';

import { CacheStats } from '../../../src/cache/cache-stats.ts';
import { Generation } from '../../../src/cache/generation.ts';
import { NearCache } from '../../../src/cache/near-cache.ts';
import { ReplyScanner } from '../../../src/protocol/reply-scanner.ts';
import {
  FillEffect,
  FlushEffect,
  type ReplyEffect,
  RevokeEffect,
  WriteEffect,
} from '../../../src/session/effect.ts';
import { Slot, type SlotOwner } from '../../../src/session/slot.ts';

const ID = { key: 'k', commandId: 1, db: 0, identity: 0, rest: '' };

let cache: NearCache;
let generation: Generation;
/** What reached the app, and what the near-cache looked like at that moment. */
let out: { bytes: string; isClosed: boolean; isCached: boolean }[];

beforeEach(() => {
  const times = { maxStalenessMs: 1000, maxTtlMs: 1000, negativeTtlMs: 1000 };
  cache = new NearCache({ ...times, maxBytes: 100_000, maxItemBytes: 10_000 }, new CacheStats());
  generation = new Generation();
  generation.isTracking = true;
  out = [];
});

function isCached(): boolean {
  return cache.find(ID, generation, 0) !== undefined;
}

function fill(): void {
  const flight = cache.startFlight(ID, generation, 0, 1000);
  flight.pttl = -1;
  cache.land(flight, Buffer.from(':1\r\n'), false, false);
}

const owner: SlotOwner = {
  isClosed: false,
  shardName: 'shard0',
  isHead: () => true,
  emit: (_slot, chunk, start, end) => note(chunk.toString('latin1', start, end)),
  answered: (slot) => {
    if (slot.ready !== undefined) note(slot.ready.toString('latin1'));
  },
  settled: () => undefined,
  kept: () => undefined,
  countOwnError: () => undefined,
  timedOut: () => undefined,
  outOfStep: () => undefined,
};

function note(bytes: string): void {
  out.push({ bytes, isClosed: cache.isClosed('k'), isCached: isCached() });
}

function slotWith(effect: ReplyEffect): Slot {
  const slot = new Slot(owner);
  slot.effect = effect;
  slot.timeoutMs = 5;
  return slot;
}

function reply(slot: Slot, ...chunks: string[]): void {
  const scanner = new ReplyScanner();
  for (const text of chunks) {
    const chunk = Buffer.from(text);
    slot.reply(chunk, 0, chunk.length, scanner.next(chunk, 0, chunk.length) !== -1, scanner);
  }
}

test('the key of a write is open again, and empty, before its reply is released', () => {
  fill();
  const slot = slotWith(new WriteEffect(cache, ['k']));
  expect([cache.isClosed('k'), isCached()]).toEqual([true, false]);
  reply(slot, '+OK\r\n');
  expect(out).toEqual([{ bytes: '+OK\r\n', isClosed: false, isCached: false }]);
});

test('a write that timed out keeps its key closed until Redis has answered it', () => {
  const slot = slotWith(new WriteEffect(cache, ['k']));
  slot.fail({ kind: 'timeout', reason: 'late' });
  slot.hasTimedOut = true;
  expect(out).toHaveLength(1);
  expect(cache.isClosed('k')).toBe(true);
  reply(slot, '+OK\r\n');
  expect(cache.isClosed('k')).toBe(false);
  expect(out).toHaveLength(1);
});

test('a write whose link was lost leaves its key open and empty', () => {
  const slot = slotWith(new WriteEffect(cache, ['k']));
  slot.fail({ kind: 'lost', reason: 'gone' });
  expect(out).toEqual([
    { bytes: expect.stringContaining('outcome unknown'), isClosed: false, isCached: false },
  ]);
});

test('a write that timed out and then lost its link opens its key once', () => {
  cache.close('k');
  const slot = slotWith(new WriteEffect(cache, ['k']));
  slot.fail({ kind: 'timeout', reason: 'late' });
  slot.hasTimedOut = true;
  slot.fail({ kind: 'lost', reason: 'gone' });
  expect(cache.isClosed('k')).toBe(true);
  cache.open('k');
  expect(cache.isClosed('k')).toBe(false);
});

test('a key that a blocking command names stays open, and is empty before the reply is released', () => {
  fill();
  const slot = slotWith(new RevokeEffect(cache, ['k']));
  expect([cache.isClosed('k'), isCached()]).toEqual([false, true]);
  reply(slot, '*2\r\n$1\r\nk\r\n', '$1\r\nx\r\n');
  expect(out[0]?.isCached).toBe(false);
});

test('a flush closes everything until its reply', () => {
  fill();
  const slot = slotWith(new FlushEffect(cache));
  expect([cache.isClosed('any'), isCached()]).toEqual([true, false]);
  reply(slot, '+OK\r\n');
  expect(out).toEqual([{ bytes: '+OK\r\n', isClosed: false, isCached: false }]);
});

test('a read fills with its reply, before it is released', () => {
  const flight = cache.startFlight(ID, generation, 0, 1000);
  flight.pttl = -1;
  reply(slotWith(new FillEffect(cache, flight)), '$1\r\nv\r\n');
  expect(out).toEqual([{ bytes: '$1\r\nv\r\n', isClosed: false, isCached: true }]);
});

test('a read whose reply comes in pieces does not fill with one of them', () => {
  const flight = cache.startFlight(ID, generation, 0, 1000);
  flight.pttl = -1;
  reply(slotWith(new FillEffect(cache, flight)), '$4\r\nva', 'lu\r\n');
  expect(out.map(({ bytes }) => bytes).join('')).toBe('$4\r\nvalu\r\n');
  expect(isCached()).toBe(false);
});

test('a read whose link was lost does not fill, nor stand in the way of the next', () => {
  const flight = cache.startFlight(ID, generation, 0, 1000);
  slotWith(new FillEffect(cache, flight)).fail({ kind: 'lost', reason: 'gone' });
  expect(flight.isLive).toBe(false);
  fill();
  expect(isCached()).toBe(true);
});
