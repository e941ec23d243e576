import { beforeEach, expect, test } from 'vitest';

import type { Generation } from '../../../src/cache/generation.ts';
import { HoldOff } from '../../../src/cache/hold-off.ts';
import type { NearCache } from '../../../src/cache/near-cache.ts';
import { createLogger } from '../../../src/base/log.ts';
import { ChannelReader } from '../../../src/invalidation/channel-reader.ts';
import { InvalidationStats } from '../../../src/invalidation/invalidation-stats.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  cachedReply,
  landFlight,
  nearCacheOf,
  startFlight,
  trackingGeneration,
} from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';

const H = 50;
const KEYS = ['user:1', 'user:2', 'order:1', '{t}:x', '\xff'];

let clock: ManualClock;
let cache: NearCache;
let generation: Generation;
let stats: InvalidationStats;
let reader: ChannelReader;
let lines: string[];

beforeEach(() => {
  clock = new ManualClock();
  cache = nearCacheOf();
  cache.holdOff = new HoldOff(H, clock);
  generation = trackingGeneration();
  stats = new InvalidationStats();
  lines = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line) => lines.push(line) },
  });
  reader = new ChannelReader({ cache, stats, clock, log });
  fill();
});

function fill(): void {
  for (const key of KEYS) landFlight(cache, startFlight(cache, idOf(key), { generation, now: clock.now() }));
}

/** Which keys a message drops; they are held off too, and all are filled anew afterwards. */
function dropped(payload: string | Buffer): string[] {
  reader.message(Buffer.from(payload as string));
  const gone = KEYS.filter((key) => cachedReply(cache, idOf(key), clock.now()) === undefined);
  fill();
  const held = KEYS.filter((key) => cachedReply(cache, idOf(key), clock.now()) === undefined);
  expect(held).toEqual(gone);
  clock.advance(2 * H);
  fill();
  expect(KEYS.every((key) => cachedReply(cache, idOf(key), clock.now()) !== undefined)).toBe(true);
  return gone;
}

test('each form drops what it names', () => {
  expect(dropped('user:1')).toEqual(['user:1']);
  expect(dropped(Buffer.from([0xff]))).toEqual(['\xff']);
  expect(dropped('["user:1","order:1"]')).toEqual(['user:1', 'order:1']);
  expect(dropped('{"v":1,"keys":["user:2"],"keysBase64":["/w=="]}')).toEqual(['user:2', '\xff']);
  expect(dropped('{"v":1,"prefixes":["user:"]}')).toEqual(['user:1', 'user:2']);
  expect(dropped('{"v":1,"tags":["t"]}')).toEqual(['{t}:x']);
  expect(dropped('{"v":1,"prefixes":[""]}')).toEqual(KEYS);
  expect(dropped('{"v":1}')).toEqual([]);
  expect(stats.messages).toEqual({ key: 2, list: 1, object: 5, event: 0, bad: 0 });
  expect(stats.flushes).toEqual({ subscribed: 0, gap: 0, bad: 0, canary: 0 });
});

test('more prefixes than are worth a look each drop everything', () => {
  expect(dropped(JSON.stringify({ v: 1, prefixes: Array(65).fill('none') }))).toEqual(KEYS);
});

test('what is not understood drops everything, and is said once a minute', () => {
  expect(dropped('{"v":2}')).toEqual(KEYS);
  expect(dropped('[')).toEqual(KEYS);
  expect([stats.messages.bad, stats.flushes.bad, lines.length]).toEqual([2, 2, 1]);
  clock.advance(60_000);
  reader.message(Buffer.from('[secret'));
  expect(lines).toHaveLength(2);
  expect(lines.join()).not.toContain('secret');
});

test('a gap drops everything, or everything of its publisher, beside what the message names', () => {
  const message = (seq: number, more: object = {}): string =>
    JSON.stringify({ v: 1, from: 'p', seq, ...more });
  expect(dropped(message(1, { keys: ['user:1'] }))).toEqual(['user:1']);
  expect(dropped(message(2))).toEqual([]);
  expect(dropped(message(4))).toEqual(KEYS);
  const scoped = { from: 'q', scope: 'user:', keys: ['user:2'] };
  expect(dropped(message(1, scoped))).toEqual(['user:2']);
  expect(dropped(message(3, scoped))).toEqual(['user:1', 'user:2']);
  expect([stats.gaps, stats.flushes.gap]).toEqual([2, 2]);
});

test('a subscription drops everything, and hears publishers as if for the first time', () => {
  const message = (seq: number): Buffer => Buffer.from(JSON.stringify({ v: 1, from: 'p', seq }));
  reader.message(message(1));
  reader.lost();
  reader.subscribed();
  expect([cache.store.stats.entries, cache.holdOff?.holdsAll, stats.flushes.subscribed]).toEqual([
    0,
    true,
    1,
  ]);
  reader.message(message(9));
  expect(stats.gaps).toBe(0);
  reader.message(message(11));
  expect(stats.gaps).toBe(1);
});
