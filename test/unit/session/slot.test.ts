import { beforeEach, expect, test } from 'vitest';

import type { Generation } from '../../../src/cache/generation.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import { FlushEffect, type ReplyEffect, RevokeEffect, WriteEffect } from '../../../src/session/effect.ts';
import type { Slot } from '../../../src/session/slot.ts';
import {
  cachedReply,
  entryId,
  landFlight,
  nearCacheOf,
  startFlight,
  trackingGeneration,
} from '../../support/near-caches.ts';
import { giveReply, SlotDesk } from '../../support/slot-desk.ts';

const ID = entryId('k');

let cache: NearCache;
let generation: Generation;
let desk: SlotDesk;
/** What reached the app, and what the near-cache looked like at that moment. */
let out: { bytes: string; isClosed: boolean; isCached: boolean }[];

beforeEach(() => {
  cache = nearCacheOf();
  generation = trackingGeneration();
  out = [];
  desk = new SlotDesk((bytes) => out.push({ bytes, isClosed: cache.isClosed('k'), isCached: isCached() }));
});

function isCached(): boolean {
  return cachedReply(cache, ID) !== undefined;
}

function fill(): void {
  landFlight(cache, startFlight(cache, ID, { generation }));
}

function slotWith(effect: ReplyEffect): Slot {
  const slot = desk.slot();
  slot.effect = effect;
  slot.timeoutMs = 5;
  return slot;
}

test('the key of a write is open again, and empty, before its reply is released', () => {
  fill();
  const slot = slotWith(new WriteEffect(cache, ['k']));
  expect([cache.isClosed('k'), isCached()]).toEqual([true, false]);
  giveReply(slot, '+OK\r\n');
  expect(out).toEqual([{ bytes: '+OK\r\n', isClosed: false, isCached: false }]);
});

test('a write that timed out keeps its key closed until Redis has answered it', () => {
  const slot = slotWith(new WriteEffect(cache, ['k']));
  slot.fail({ kind: 'timeout', reason: 'late' });
  slot.hasTimedOut = true;
  expect(out).toHaveLength(1);
  expect(cache.isClosed('k')).toBe(true);
  giveReply(slot, '+OK\r\n');
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
  giveReply(slot, '*2\r\n$1\r\nk\r\n', '$1\r\nx\r\n');
  expect(out[0]?.isCached).toBe(false);
});

test('a flush closes everything until its reply', () => {
  fill();
  const slot = slotWith(new FlushEffect(cache));
  expect([cache.isClosed('any'), isCached()]).toEqual([true, false]);
  giveReply(slot, '+OK\r\n');
  expect(out).toEqual([{ bytes: '+OK\r\n', isClosed: false, isCached: false }]);
});
