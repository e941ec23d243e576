import { beforeEach, describe, expect, it } from 'vitest';

import { Interests } from '../../../src/shard/interests.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';

let stats: ShardStats;
let interests: Interests<string>;

beforeEach(() => {
  stats = new ShardStats();
  interests = new Interests(stats);
});

function subscribe(who: string, name: string): void {
  interests.want(who, 'channel', name);
  interests.confirmed('channel', name, true);
  interests.hear(who, 'channel', name);
}

describe('a name', () => {
  it('is heard by those whose subscription is confirmed, in the order of the confirmations', () => {
    for (const who of ['b', 'a', 'c']) interests.want(who, 'channel', 'x');
    interests.hear('a', 'channel', 'x');
    interests.hear('b', 'channel', 'x');
    expect([...interests.hearing('channel', 'x')]).toEqual(['a', 'b']);
  });

  it('of one kind is another than the same name of another kind', () => {
    subscribe('a', 'x');
    expect(interests.isWanted('pattern', 'x')).toBe(false);
    expect([...interests.hearing('shard', 'x')]).toEqual([]);
  });

  it('stays wanted by one who has asked for it twice when one of the two is refused', () => {
    subscribe('a', 'x');
    interests.want('a', 'channel', 'x');
    interests.unwant('a', 'channel', 'x');
    expect(interests.isWanted('channel', 'x')).toBe(true);
  });

  it('is wanted once by one who has subscribed to it twice', () => {
    subscribe('a', 'x');
    subscribe('a', 'x');
    expect([...interests.hearing('channel', 'x')]).toEqual(['a']);
    interests.unwant('a', 'channel', 'x');
    expect(interests.isWanted('channel', 'x')).toBe(false);
  });

  it('is not heard by one who has left before the confirmation came', () => {
    interests.want('a', 'channel', 'x');
    interests.unwant('a', 'channel', 'x', true);
    interests.hear('a', 'channel', 'x');
    expect([...interests.hearing('channel', 'x')]).toEqual([]);
  });

  it('is still heard by one who wants it no more, until told', () => {
    subscribe('a', 'x');
    interests.unwant('a', 'channel', 'x', true);
    expect([interests.isWanted('channel', 'x'), [...interests.hearing('channel', 'x')]]).toEqual([
      false,
      ['a'],
    ]);
    interests.unhear('a', 'channel', 'x');
    expect([...interests.hearing('channel', 'x')]).toEqual([]);
  });
});

describe('the counts', () => {
  it('are of names, whoever wants them', () => {
    for (const who of ['a', 'b']) for (const name of ['x', 'y']) subscribe(who, name);
    expect([interests.wanted, stats.subscriptions]).toEqual([2, 2]);
    for (const who of ['a', 'b']) interests.unwant(who, 'channel', 'x', true);
    interests.confirmed('channel', 'x', false);
    expect([interests.wanted, stats.subscriptions]).toEqual([1, 1]);
  });

  it('are zero after everything was forgotten, and those who heard something are known', () => {
    subscribe('a', 'x');
    subscribe('a', 'y');
    interests.want('b', 'channel', 'z');
    expect([...interests.clear()]).toEqual(['a']);
    expect([interests.wanted, stats.subscriptions, interests.isWanted('channel', 'x')]).toEqual([
      0,
      0,
      false,
    ]);
  });
});
