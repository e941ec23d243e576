import { beforeEach, describe, expect, test } from 'vitest';

import type { Flight } from '../../../src/cache/flight.ts';
import type { Generation } from '../../../src/cache/generation.ts';
import type { Landing, NearCache } from '../../../src/cache/near-cache.ts';
import { type EntryId, RESP2_ONLY, RESP3_ONLY, SAME } from '../../../src/cache/store.ts';
import {
  cachedReply,
  landFlight,
  nearCacheOf,
  PLAIN_RULES,
  startFlight,
  trackingGeneration,
} from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';

const { maxTtlMs: MAX_TTL_MS, negativeTtlMs: NEGATIVE_TTL_MS } = PLAIN_RULES;
const MAX_ITEM_BYTES = 10_000;

let cache: NearCache;
let generation: Generation;

beforeEach(() => {
  cache = nearCacheOf({ maxItemBytes: MAX_ITEM_BYTES });
  generation = trackingGeneration();
});

function start(id: EntryId, pttl = -1, now = 0): Flight {
  return startFlight(cache, id, { generation, pttl, now });
}

function land(flight: Flight, reply?: string, landing?: Partial<Landing>): void {
  landFlight(cache, flight, reply, landing);
}

function put(id: EntryId, reply?: string): void {
  land(start(id), reply);
}

function read(id: EntryId, now = 0): string | undefined {
  return cachedReply(cache, id, now);
}

test('a reply that landed is found by whoever asks the same', () => {
  put(idOf('k'), '$1\r\na\r\n');
  expect(read(idOf('k'))).toBe('$1\r\na\r\n');
});

test('the same key of another command, database, link or arguments is another entry', () => {
  const variants = [{}, { commandId: 2 }, { db: 1 }, { db: 2, fence: 2 }, { args: 'x' }].map((change) =>
    idOf('k', change),
  );
  for (const [i, id] of variants.entries()) {
    expect(read(id)).toBeUndefined();
    put(id, `:${i}\r\n`);
  }
  expect(variants.map((id) => read(id))).toEqual(variants.map((_, i) => `:${i}\r\n`));
  expect(cache.store.stats.entries).toBe(variants.length);
});

describe('what another link has read of the same key', () => {
  const others = [idOf('k'), idOf('k', { commandId: 2 }), idOf('k', { db: 1 })];
  beforeEach(() => {
    for (const id of others) put(id, ':1\r\n');
  });

  test('stays when this one says the same, and what cannot be compared goes', () => {
    put(idOf('k', { fence: 2 }), ':1\r\n');
    expect(others.map((id) => read(id))).toEqual([':1\r\n', undefined, ':1\r\n']);
    expect(read(idOf('k', { fence: 2 }))).toBe(':1\r\n');
  });

  test("goes when this one says something else: its own link may not have been told yet (I3')", () => {
    put(idOf('k', { fence: 2 }), ':2\r\n');
    expect(others.map((id) => read(id))).toEqual([undefined, undefined, ':1\r\n']);
  });

  test('goes when what this one says is not kept', () => {
    put(idOf('k', { fence: 2 }), `$${MAX_ITEM_BYTES}\r\n${'x'.repeat(MAX_ITEM_BYTES)}\r\n`);
    expect(others.map((id) => read(id))).toEqual([undefined, undefined, undefined]);
  });
});

test('a newer reply takes the place of the older one', () => {
  put(idOf('k'), ':1\r\n');
  put(idOf('k'), ':2\r\n');
  expect(read(idOf('k'))).toBe(':2\r\n');
  expect(cache.store.stats.entries).toBe(1);
});

test('the reply is copied out of the buffer it came in, and the key out of the request', () => {
  const id = idOf('k');
  const flight = start(id);
  id.bytes.fill('!');
  const chunk = Buffer.from('$1\r\nv\r\n');
  cache.land(flight, chunk, 0, chunk.length, { isError: false, isNil: false, form: SAME, now: 0 });
  chunk.fill('!');
  expect(read(idOf('k'))).toBe('$1\r\nv\r\n');
});

test('a reply that reads otherwise in RESP2 answers no session of RESP2, and its converted form no session of RESP3', () => {
  const id = idOf('k');
  land(start(id), '_\r\n', { form: RESP3_ONLY });
  expect(cachedReply(cache, id, 0, 2)).toBeUndefined();
  expect(cachedReply(cache, id, 0, 3)).toBe('_\r\n');
  const converted = Buffer.from('$-1\r\n');
  cache.store.insert(id, converted, 0, converted.length, { ...cache.store.found, form: RESP2_ONLY });
  expect([cachedReply(cache, id, 0, 2), cachedReply(cache, id, 0, 3)]).toEqual(['$-1\r\n', '_\r\n']);
  land(start(id), ':1\r\n');
  expect([cachedReply(cache, id, 0, 2), cachedReply(cache, id, 0, 3)]).toEqual([':1\r\n', ':1\r\n']);
});

describe('how long an entry lives', () => {
  test.each([
    ['no expiry: the longest time allowed', -1, false, MAX_TTL_MS],
    ['an expiry: until then', 5000, false, 5000],
    ['about to expire: not kept with 9', 9, false, undefined],
    ['no key: a short time', -2, true, NEGATIVE_TTL_MS],
    ['a TTL that nobody could read: not kept', Number.NaN, false, undefined],
  ])('%s', (_, pttl, isNil, ttlMs) => {
    const sentAt = 1000;
    land(start(idOf('k'), pttl, sentAt), '_\r\n', { isNil });
    if (ttlMs === undefined) {
      expect(read(idOf('k'), sentAt)).toBeUndefined();
      expect(cache.stats.refused.ttl).toBe(1);
    } else {
      // One ms early, because PTTL rounds up.
      expect(read(idOf('k'), sentAt + ttlMs - 2)).toBe('_\r\n');
      expect(read(idOf('k'), sentAt + ttlMs - 1)).toBeUndefined();
      expect(cache.store.stats.expired).toBe(1);
    }
  });

  test('it counts from the time of sending, not of landing', () => {
    land(start(idOf('k'), 100, 0), undefined, { now: 50 });
    expect(read(idOf('k'), 98)).toBeDefined();
    expect(read(idOf('k'), 99)).toBeUndefined();
  });

  test('a flight may bring a limit of its own, and no longer one than its policy', () => {
    const id = idOf('k');
    const policy = cache.policies.of(id.bytes, id.keyStart, id.keyEnd);
    const plan = { generation, sentAt: 0, policy };
    expect(cache.startFlight(id, 'k', { ...plan, maxTtlMs: 50 }).maxTtlMs).toBe(50);
    expect(cache.startFlight(id, 'k', { ...plan, maxTtlMs: MAX_TTL_MS + 1 }).maxTtlMs).toBe(MAX_TTL_MS);
  });

  test('one variant expires without the others', () => {
    land(start(idOf('k'), 100));
    put(idOf('k', { commandId: 2 }));
    expect(read(idOf('k'), 500)).toBeUndefined();
    expect(read(idOf('k', { commandId: 2 }), 500)).toBeDefined();
    expect(cache.store.stats.entries).toBe(1);
  });
});

describe('what is not kept', () => {
  test('an error', () => {
    land(start(idOf('k')), '-WRONGTYPE …\r\n', { isError: true });
    expect(read(idOf('k'))).toBeUndefined();
    expect(cache.stats.refused.error).toBe(1);
  });

  test('a reply over the limit of an item', () => {
    land(start(idOf('k')), 'x'.repeat(MAX_ITEM_BYTES + 1));
    expect(read(idOf('k'))).toBeUndefined();
    expect(cache.stats.refused.size).toBe(1);
    land(start(idOf('k')), 'x'.repeat(MAX_ITEM_BYTES));
    expect(read(idOf('k'))).toBeDefined();
  });

  test('the reply of a link that was lost', () => {
    const flight = start(idOf('k'));
    generation.isAlive = false;
    land(flight);
    expect(read(idOf('k'))).toBeUndefined();
    expect(cache.stats.refused.revoked).toBe(1);
  });

  test.each([
    ['an invalidation', (): void => cache.revoke('k')],
    ['a flush', (): void => cache.flush()],
    ['a write', (): void => (cache.close('k'), cache.open('k'))],
    ['a command that may change everything', (): void => (cache.closeAll(), cache.openAll())],
  ])('a reply whose flight began before %s', (_, happens) => {
    const flights = [start(idOf('k')), start(idOf('k')), start(idOf('k', { db: 1 }))];
    happens();
    for (const flight of flights) land(flight);
    expect(cache.stats.refused.revoked).toBe(3);
    expect(cache.stats.fills).toBe(0);
    put(idOf('k'));
    expect(read(idOf('k'))).toBeDefined();
  });

  test('a reply that comes while a write of its key is on its way', () => {
    cache.close('k');
    cache.close('k');
    cache.open('k');
    land(start(idOf('k')));
    expect(read(idOf('k'))).toBeUndefined();
    expect(cache.stats.refused.closed).toBe(1);
    land(start(idOf('other')));
    expect(read(idOf('other'))).toBeDefined();
  });

  test('a reply whose flight began while a write of its key was on its way', () => {
    cache.close('k');
    const flight = start(idOf('k'));
    cache.open('k');
    land(flight);
    expect(read(idOf('k'))).toBeUndefined();
  });

  test('a reply that nobody waits for any more', () => {
    const flight = start(idOf('k'));
    cache.abandon(flight);
    land(flight);
    expect(read(idOf('k'))).toBeUndefined();
  });

  test('the same reply twice', () => {
    const flight = start(idOf('k'));
    land(flight);
    cache.revoke('k');
    land(flight);
    expect(read(idOf('k'))).toBeUndefined();
  });
});

describe('what ends entries', () => {
  test('a revoked key loses all its variants, in every database and of every link', () => {
    const ids = [{}, { db: 5 }, { commandId: 2 }, { fence: 3 }, { args: 'x' }].map((change) =>
      idOf('k', change),
    );
    for (const id of ids) put(id);
    put(idOf('other'));
    cache.revoke('k');
    expect(ids.map((id) => read(id))).toEqual(ids.map(() => undefined));
    expect(read(idOf('other'))).toBeDefined();
    expect(cache.store.stats.entries).toBe(1);
  });

  test('a key of any bytes and of any length', () => {
    for (const key of ['', '\xff\x00', 'k'.repeat(1000)]) {
      put(idOf(key));
      cache.revoke(key);
      expect(read(idOf(key))).toBeUndefined();
    }
    cache.revoke('k'.repeat(1001));
  });

  test('a write closes its key from its dispatch to its reply, each write once', () => {
    put(idOf('k'));
    cache.close('k');
    expect(read(idOf('k'))).toBeUndefined();
    expect([cache.isClosed('k'), cache.isClosed('other')]).toEqual([true, false]);
    cache.close('k');
    cache.open('k');
    expect(cache.isClosed('k')).toBe(true);
    cache.open('k');
    expect(cache.isClosed('k')).toBe(false);
  });

  test('a command that may change everything closes every key until its reply', () => {
    put(idOf('k'));
    cache.closeAll();
    expect(read(idOf('k'))).toBeUndefined();
    expect([cache.isClosed('k'), cache.isClosed('never seen')]).toEqual([true, true]);
    cache.openAll();
    expect(cache.isClosed('k')).toBe(false);
  });

  test('a flush leaves nothing, and the counts say so', () => {
    for (let i = 0; i < 10; i++) put(idOf(`k${i}`));
    expect(cache.store.stats.entries).toBe(10);
    cache.flush();
    expect([cache.store.stats.entries, cache.stats.flushes]).toEqual([0, 1]);
    expect(read(idOf('k0'))).toBeUndefined();
  });

  test('a link that is back drops what others of its kind have left, and nothing of the links beside it', () => {
    const ids = [1, 2, 3].map((fence) => idOf('k', { fence }));
    for (const id of ids) put(id);
    cache.dropExcept(new Set([2]));
    expect(ids.map((id) => read(id) !== undefined)).toEqual([false, true, false]);
    cache.dropExcept(new Set());
    expect(cache.store.stats.entries).toBe(0);
  });
});
