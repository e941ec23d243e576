import { beforeEach, expect, test } from 'vitest';

import type { Generation } from '../../../src/cache/generation.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import { FlushEffect, type ReplyEffect, RevokeEffect, WriteEffect } from '../../../src/session/effect.ts';
import { ReplyScanner } from '../../../src/protocol/reply-scanner.ts';
import type { Expected, Slot } from '../../../src/session/slot.ts';
import {
  cachedReply,
  landFlight,
  nearCacheOf,
  startFlight,
  trackingGeneration,
} from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';
import { giveReply, SlotDesk } from '../../support/slot-desk.ts';

const ID = idOf('k');

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

test.each<[Expected, string]>([
  ['ok', '+OK\r\n'],
  ['queued', '+QUEUED\r\n'],
  ['queued', '-ERR not now\r\n'],
  ['exec', '*1\r\n:1\r\n'],
  ['exec', '-EXECABORT\r\n'],
])('%s is what %j is, wherever it is cut', (expected, reply) => {
  for (let cut = 0; cut < reply.length; cut++) {
    out = [];
    const slot = desk.slot();
    slot.expected = expected;
    // Behind the first piece stands what an earlier read has left there.
    const first = Buffer.from(`${reply.slice(0, cut)}leftovers`);
    const scanner = new ReplyScanner();
    if (cut > 0) {
      scanner.next(first, 0, cut);
      slot.reply(first, 0, cut, false, scanner);
    }
    const rest = Buffer.from(reply.slice(cut));
    scanner.next(rest, 0, rest.length);
    slot.reply(rest, 0, rest.length, true, scanner);
    expect(out.map(({ bytes }) => bytes).join('')).toBe(reply);
  }
});

test.each<[Expected, string]>([
  ['ok', ':1\r\n'],
  ['queued', '+OK\r\n'],
  ['queued', ':1\r\n'],
  ['exec', '+OK\r\n'],
])('%s is not what %j is: out of step', (expected, reply) => {
  const slot = desk.slot();
  slot.expected = expected;
  expect(() => giveReply(slot, reply)).toThrow('out of step');
});
