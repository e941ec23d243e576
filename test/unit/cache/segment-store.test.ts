import { describe, expect, it } from 'vitest';

import { createStore } from '../../../src/cache/create-store.ts';
import { UNIT, unitsFor } from '../../../src/cache/entry-pool.ts';
import type { StoredEntry } from '../../../src/cache/eviction.ts';
import type { SegmentStoreOptions } from '../../../src/cache/segment-store.ts';
import { RESP2_ONLY, RESP3_ONLY, type Store } from '../../../src/cache/store.ts';
import { get, idOf, put, removeKey } from '../../support/store-entry.ts';

const DAY_MS = 24 * 3600 * 1000;

function storeOf(
  more: Partial<SegmentStoreOptions> = {},
  eviction: 's3fifo' | 'clock' | 'fifo' = 's3fifo',
): Store {
  return createStore(eviction, {
    maxBytes: 1 << 20,
    expectedEntryBytes: 128,
    maxItemBytes: 1 << 20,
    maxKeyBytes: 65_535,
    seed: 7,
    ...more,
  });
}

/** Keys of a range that are still there. */
function keysLeft(store: Store, prefix: string, count: number): number {
  let left = 0;
  for (let i = 0; i < count; i++) if (get(store, idOf(`${prefix}${i}`)) !== undefined) left++;
  return left;
}

describe('SegmentStore', () => {
  it('overwrites in place when the size in units stays the same', () => {
    const store = storeOf();
    put(store, idOf('k'), 'first');
    store.find(idOf('k'), 2, 1);
    const { start } = store.found;
    put(store, idOf('k'), 'second');
    expect(get(store, idOf('k'))).toBe('second');
    expect(store.found.start).toBe(start);
    expect(store.stats.entries).toBe(1);
  });

  it('counts the live bytes of what it holds, headers included', () => {
    const store = storeOf();
    put(store, idOf('key', { args: 'args' }), 'x'.repeat(100));
    expect(store.stats.liveBytes).toBe(unitsFor(107) * UNIT);
    put(store, idOf('key', { args: 'args' }), 'x'.repeat(200));
    expect(store.stats.liveBytes).toBe(unitsFor(207) * UNIT);
    removeKey(store, 'key');
    expect(store.stats.liveBytes).toBe(0);
  });

  it('says once that an entry is due for a refresh, until a new reply comes', () => {
    const store = storeOf();
    const facts = { filledAt: 0, deadline: 1000, refreshAt: 600 };
    put(store, idOf('k'), 'v', facts);
    get(store, idOf('k'));
    expect(store.found.refreshAt).toBe(600);
    store.refreshing();
    get(store, idOf('k'));
    expect(store.found.refreshAt).toBe(Infinity);
    put(store, idOf('k'), 'w', facts);
    get(store, idOf('k'));
    expect(store.found.refreshAt).toBe(600);
  });

  it('marks nothing as being refreshed once the store has changed since the hit', () => {
    const store = storeOf();
    put(store, idOf('k'), 'v', { refreshAt: 600 });
    get(store, idOf('k'));
    removeKey(store, 'k');
    put(store, idOf('k'), 'v', { refreshAt: 600 });
    store.refreshing();
    get(store, idOf('k'));
    expect(store.found.refreshAt).toBe(600);
  });

  it('lets an entry live 49 days at most, with a clock that runs for years', () => {
    const store = storeOf();
    const filledAt = 3000 * DAY_MS + 0.5;
    put(store, idOf('k'), 'v', { filledAt, deadline: filledAt + 200 * DAY_MS });
    expect(get(store, idOf('k'), filledAt + 49 * DAY_MS)).toBe('v');
    expect(store.found.filledAt).toBe(filledAt);
    expect(get(store, idOf('k'), filledAt + 50 * DAY_MS)).toBeUndefined();
    expect(store.stats.expired).toBe(1);
  });

  it('never serves later than a deadline that falls between two milliseconds', () => {
    const store = storeOf();
    put(store, idOf('k'), 'v', { filledAt: 0.75, deadline: 100.5 });
    expect(get(store, idOf('k'), 99.7)).toBe('v');
    expect(get(store, idOf('k'), 100.5)).toBeUndefined();
  });

  it('keeps both protocol forms of a reply, and lets a new reply end both', () => {
    const store = storeOf();
    put(store, idOf('k'), 'three', { form: RESP3_ONLY });
    put(store, idOf('k'), 'two', { form: RESP2_ONLY });
    expect([get(store, idOf('k'), 1, 2), get(store, idOf('k'), 1, 3)]).toEqual(['two', 'three']);
    put(store, idOf('k'), 'new', { form: RESP3_ONLY });
    expect([get(store, idOf('k'), 1, 2), get(store, idOf('k'), 1, 3)]).toEqual([undefined, 'new']);
  });

  it('drops what a reply that is too large was to replace', () => {
    const store = storeOf({ maxItemBytes: 100 });
    put(store, idOf('k'), 'old');
    expect(put(store, idOf('k'), 'x'.repeat(101))).toBe(false);
    expect(get(store, idOf('k'))).toBeUndefined();
    expect(put(store, idOf('k'), 'x'.repeat(100))).toBe(true);
    // One byte more needs no more units.
    expect(put(store, idOf('k'), 'y'.repeat(101))).toBe(false);
    expect(get(store, idOf('k'))).toBeUndefined();
  });

  it('refuses keys and args that are longer than allowed together', () => {
    const store = storeOf({ maxKeyBytes: 10 });
    expect(put(store, idOf('k'.repeat(5), { args: 'a'.repeat(6) }), 'v')).toBe(false);
    expect(put(store, idOf('k'.repeat(5), { args: 'a'.repeat(5) }), 'v')).toBe(true);
  });

  it('keeps 64 variants of a key; a further one takes the place of the first to end', () => {
    const store = storeOf();
    for (let i = 0; i < 64; i++) put(store, idOf('k', { args: `${i}` }), `${i}`, { deadline: 1000 - i });
    put(store, idOf('k', { args: '64' }), '64');
    const left = Array.from({ length: 65 }, (_, i) => i).filter(
      (i) => get(store, idOf('k', { args: `${i}` })) !== undefined,
    );
    expect(left).toEqual(Array.from({ length: 65 }, (_, i) => i).filter((i) => i !== 63));
    expect(removeKey(store, 'k')).toBe(64);
    expect(store.stats.entries).toBe(0);
  });

  it('gives the bytes of each entry to removeWhere', () => {
    const store = storeOf();
    put(store, idOf('k1', { args: 'x', commandId: 300, db: 2, fence: 2 ** 32 - 1 }), 'v');
    put(store, idOf('k2'), 'v');
    const seen: unknown[] = [];
    const removed = store.removeWhere((id) => {
      const key = id.bytes.toString('latin1', id.keyStart, id.keyEnd);
      seen.push([key, id.bytes.toString('latin1', id.argsStart, id.argsEnd), id.commandId, id.db, id.fence]);
      return key === 'k1';
    });
    expect(seen).toEqual([
      ['k1', 'x', 300, 2, 2 ** 32 - 1],
      ['k2', '', 1, 0, 1],
    ]);
    expect([removed, store.stats.entries, get(store, idOf('k2'))]).toEqual([1, 1, 'v']);
  });

  it('stops at a full index as at a full memory', () => {
    const store = storeOf({ expectedEntryBytes: 4096 });
    for (let i = 0; i < 3000; i++) put(store, idOf(`k${i}`), '');
    expect(store.stats.entries).toBeLessThan(300);
    expect(store.stats.entries).toBeGreaterThan(50);
    expect(get(store, idOf('k2999'))).toBe('');
  });

  it('keeps what is hit when the index is full while its main queue is still one segment', () => {
    const store = storeOf({ expectedEntryBytes: 4096 });
    for (let i = 0; i < 1000; i++) {
      put(store, idOf(`k${i}`), `${i}`);
      for (let other = Math.max(0, i - 250); other <= i; other++) {
        const reply = get(store, idOf(`k${other}`));
        if (reply !== undefined) expect(reply).toBe(`${other}`);
      }
    }
    expect(keysLeft(store, 'k', 1000)).toBe(store.stats.entries);
    expect(store.stats.entries).toBeGreaterThan(50);
  });

  it('uses the room of removed entries before it evicts', () => {
    const store = storeOf({ segmentBytes: 16 * 1024 }, 'fifo');
    const count = 600;
    for (let i = 0; i < count; i++) put(store, idOf(`old${i}`), 'x'.repeat(1000));
    for (let i = 0; i < count; i++) if (i % 3 > 0) removeKey(store, `old${i}`);
    for (let i = 0; i < count / 2; i++) put(store, idOf(`new${i}`), 'x'.repeat(1000));
    expect(keysLeft(store, 'old', count) + keysLeft(store, 'new', count / 2)).toBe(count / 3 + count / 2);
    expect(store.stats.evicted).toBe(0);
  });

  it('drops expired entries before the policy is asked', () => {
    const store = storeOf({}, 'clock');
    for (let i = 0; i < 500; i++) {
      put(store, idOf(`old${i}`), 'x'.repeat(1000), { deadline: 10 });
      get(store, idOf(`old${i}`));
    }
    for (let i = 0; i < 800; i++) put(store, idOf(`new${i}`), 'x'.repeat(1000), { filledAt: 20 });
    expect(store.stats.expired).toBeGreaterThan(300);
    expect(store.stats.evicted).toBe(0);
  });

  it('comes to an end when everything it holds was hit, and keeps the new entry', () => {
    const store = storeOf({}, 'clock');
    for (let i = 0; i < 2000; i++) {
      put(store, idOf(`k${i}`), 'x'.repeat(1000));
      for (let hit = 0; hit < 4; hit++) get(store, idOf(`k${i}`));
    }
    expect(get(store, idOf('k1999'))).toBeDefined();
    expect(store.stats.evicted).toBeGreaterThan(900);
  });

  it('holds values of nearly a segment among tiny ones', () => {
    const store = storeOf({ maxKeyBytes: 100 });
    const big = 'x'.repeat(store.maxItemBytes);
    for (let i = 0; i < 2000; i++) {
      expect(put(store, idOf(`k${i}`), i % 3 === 0 ? big : 'v')).toBe(true);
      expect(get(store, idOf(`k${i}`))).toBe(i % 3 === 0 ? big : 'v');
    }
  });
});

describe('eviction hooks', () => {
  function fill(store: Store, count: number): void {
    for (let i = 0; i < count; i++) put(store, idOf(`filler${i}`), 'x'.repeat(1000));
  }

  it('keep pinned entries that nobody asks for', () => {
    const isPinned = ({ id, facts }: StoredEntry): boolean => facts.policy === 9 && id.db === 3;
    const store = storeOf({ hooks: { isPinned } });
    for (let i = 0; i < 50; i++) put(store, idOf(`pin${i}`, { db: 3 }), 'x'.repeat(1000), { policy: 9 });
    for (let i = 0; i < 50; i++) put(store, idOf(`not${i}`, { db: 3 }), 'x'.repeat(1000), { policy: 8 });
    fill(store, 5000);
    let pinned = 0;
    let others = 0;
    for (let i = 0; i < 50; i++) {
      if (get(store, idOf(`pin${i}`, { db: 3 })) !== undefined) pinned++;
      if (get(store, idOf(`not${i}`, { db: 3 })) !== undefined) others++;
    }
    expect([pinned, others]).toEqual([50, 0]);
  });

  it('pin half of the memory at most, and give it back when pinned entries go', () => {
    const store = storeOf({ hooks: { isPinned: ({ facts }) => facts.policy === 9 } });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 3000; i++) put(store, idOf(`pin${i}`), 'x'.repeat(1000), { policy: 9 });
      fill(store, 3000);
      const pinned = keysLeft(store, 'pin', 3000);
      expect(pinned).toBeGreaterThan(300);
      expect(pinned).toBeLessThan(530);
      for (let i = 0; i < 3000; i++) removeKey(store, `pin${i}`);
    }
  });

  it('count the hits of a heavy entry more, and those of a light one less', () => {
    const weights = [0.4, 1, 3];
    const store = storeOf({ hooks: { weightOf: ({ facts }) => weights[facts.policy] as number } });
    for (let i = 0; i < 60; i++) {
      const id = idOf(`k${i}`);
      put(store, id, 'x'.repeat(1000), { policy: i % 3 });
      // One hit proves enough of a heavy one, two of a usual one, and of a light one not even three do.
      for (let hit = 0; hit < [3, 1, 1][i % 3]!; hit++) get(store, id);
    }
    fill(store, 1500);
    const left = [0, 0, 0];
    for (let i = 0; i < 60; i++) {
      if (get(store, idOf(`k${i}`)) !== undefined) left[i % 3] = (left[i % 3] as number) + 1;
    }
    expect(left).toEqual([0, 0, 20]);
  });
});
