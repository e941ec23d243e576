import { beforeEach, describe, expect, it } from 'vitest';

import { HotKeyList } from '../../../src/cache/hot-key-list.ts';
import { HotKeys } from '../../../src/cache/hot-keys.ts';
import { emptyId, type EntryId } from '../../../src/cache/store.ts';

const FENCE = 3;
let list: HotKeyList;
let hotKeys: HotKeys;

beforeEach(() => {
  list = new HotKeyList(10, true);
  hotKeys = new HotKeys(list);
});

function id(key: string, given: Partial<EntryId> = {}): EntryId {
  const bytes = Buffer.from(key);
  const end = bytes.length;
  return {
    ...emptyId(bytes),
    keyEnd: end,
    argsStart: end,
    argsEnd: end,
    commandId: 5,
    fence: FENCE,
    ...given,
  };
}

/** Hits of which about so many are seen, times 20. */
function hit(times: number, of: EntryId): void {
  for (let i = 0; i < times * 320; i++) hotKeys.note(of);
}

function listed(): string[] {
  return list.top().map(({ db, commandId, key }) => `${db} ${commandId} ${key.toString()}`);
}

describe('HotKeys', () => {
  it('reports the hottest keys of one link, by database', () => {
    hit(2, id('b'));
    hit(3, id('a'));
    hit(1, id('c'));
    hit(9, id('other', { fence: 4 }));
    hit(4, id('d', { db: 2 }));
    const taken = hotKeys.take(3, FENCE);
    expect([...taken].map(([db, keys]) => [db, keys.map(String)])).toEqual([
      [2, ['d']],
      [0, ['a', 'b']],
    ]);
    expect(hotKeys.take(3, FENCE).size).toBe(0);
    expect(hotKeys.take(3, 4).size).toBe(1);
  });

  it('sees all of many keys that are asked for in turn', () => {
    const all = Array.from({ length: 64 }, (_, i) => id(`key${i}`));
    for (let round = 0; round < 400; round++) for (const each of all) hotKeys.note(each);
    expect(hotKeys.take(100, FENCE).get(0)).toHaveLength(64);
  });

  it('lists what was reported, also beyond what was asked for', () => {
    hit(2, id('b'));
    hit(3, id('a', { db: 1 }));
    expect(listed()).toEqual([]);
    hotKeys.take(0, FENCE);
    expect(listed()).toEqual(['1 5 a', '0 5 b']);
  });

  it('lists nothing of another link', () => {
    hit(2, id('secret', { fence: 4 }));
    hotKeys.take(10, FENCE);
    expect(listed()).toEqual([]);
  });

  it('lists only reads without arguments, by their share', () => {
    hit(9, id('hash xx', { keyEnd: 4, argsStart: 5, commandId: 8 }));
    hit(1, id('hash', { commandId: 7 }));
    hit(2, id('list'));
    hit(5, id('zset xx', { keyEnd: 4, argsStart: 5, commandId: 8 }));
    hotKeys.take(10, FENCE);
    expect(listed()).toEqual(['0 5 list', '0 7 hash']);
  });

  it('is not blocked by what nobody asks for', () => {
    for (let i = 0; i < 300_000; i++) hotKeys.note(id(`gone${i}`, { fence: 4 }));
    hit(1, id('a'));
    expect(hotKeys.take(10, FENCE).size).toBe(1);
  });
});
