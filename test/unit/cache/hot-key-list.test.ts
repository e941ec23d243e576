import { beforeEach, describe, expect, it } from 'vitest';

import { HotKeyList } from '../../../src/cache/hot-key-list.ts';

let list: HotKeyList;

beforeEach(() => {
  list = new HotKeyList(3, true);
});

function add(key: string, count: number, db = 0, commandId = 5): void {
  list.add({ db, commandId, key: Buffer.from(key, 'latin1') }, count);
}

function names(of: HotKeyList = list): string[] {
  return of.top().map(({ db, commandId, key }) => `${db}/${commandId}/${key.toString('latin1')}`);
}

describe('HotKeyList', () => {
  it('has the most hit first, and no more than asked for', () => {
    for (const [key, count] of [
      ['a', 1],
      ['b', 3],
      ['c', 2],
      ['d', 1],
      ['a', 4],
    ] as const) {
      add(key, count);
    }
    expect(names()).toEqual(['0/5/a', '0/5/b', '0/5/c']);
  });

  it('tells databases and commands apart, and keeps every byte of a key', () => {
    add('', 3, 1, 7);
    add(' a  b\xff\n', 2);
    add('', 1, 0, 7);
    expect(names()).toEqual(['1/7/', '0/5/ a  b\xff\n', '0/7/']);
  });

  it('does not tell databases apart in a Cluster', () => {
    list = new HotKeyList(3, false);
    add('a', 1, 3);
    add('a', 1, 4);
    expect(names()).toEqual(['0/5/a']);
  });

  it('forgets the coldest when it has too many', () => {
    add('hot', 100);
    for (let i = 0; i < 20_000; i++) add(`cold${i}`, 1);
    add('warm', 50);
    for (let i = 0; i < 20_000; i++) add(`colder${i}`, 1);
    expect(names().slice(0, 2)).toEqual(['0/5/hot', '0/5/warm']);
  });

  it('stays within its bound when all are equally hot', () => {
    const large = new HotKeyList(1_000_000, true);
    const small = new HotKeyList(5000, true);
    for (let i = 0; i < 30_000; i++) {
      const key = Buffer.from(String(i));
      for (const each of [large, small]) each.add({ db: 0, commandId: 0, key }, 2);
    }
    expect(large.top()).toHaveLength(30_000);
    expect(small.top()).toHaveLength(5000);
  });

  it('lets what was hot long ago make room', () => {
    add('old', 20_000);
    for (let i = 0; i < 30; i++) add('new', 8192);
    add('newer', 8192);
    for (let i = 0; i < 60; i++) add('newest', 8192);
    expect(names()).toEqual(['0/5/newest', '0/5/new', '0/5/newer']);
  });
});
