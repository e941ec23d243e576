import { beforeEach, describe, expect, it } from 'vitest';

import { Ghosts } from '../../../src/cache/ghosts.ts';
import { mix } from '../../../src/cache/key-hash.ts';
import { MAIN, Segments, SMALL } from '../../../src/cache/segments.ts';
import { StoreStats } from '../../../src/cache/store.ts';
import { Trials } from '../../../src/cache/trials.ts';

let trials: Trials;
let next: number;

/** Entries leave the queue, and are asked for again at once. */
function vote(queue: typeof SMALL | typeof MAIN, times: number): void {
  for (let i = 0; i < times; i++) {
    const identity = mix(next++, 0);
    trials.left(queue, identity);
    trials.isBack(identity);
  }
}

beforeEach(() => {
  const stats = new StoreStats();
  stats.entries = 1000;
  trials = new Trials(new Ghosts(1000), stats);
  next = 0;
});

describe('Trials', () => {
  it('get a tenth of the cache at first', () => {
    expect(trials.share).toBe(0.1);
    expect(trials.areLong).toBe(false);
  });

  it('get longer when what was dropped on trial is asked for again, up to nearly the whole cache', () => {
    vote(SMALL, 100);
    expect(trials.share).toBeCloseTo(0.11);
    vote(SMALL, 10_000);
    expect(trials.share).toBeCloseTo(0.95);
    expect(trials.areLong).toBe(true);
  });

  it('get shorter when what was dropped from the main queue is asked for again, down to a fiftieth', () => {
    vote(MAIN, 10_000);
    expect(trials.share).toBeCloseTo(0.02);
  });

  it('stay as long as they are while votes differ by less than half', () => {
    for (let i = 0; i < 100; i++) {
      vote(SMALL, 45);
      vote(MAIN, 55);
    }
    expect(trials.share).toBe(0.1);
  });

  it('know what comes back within nine tenths of the cache, but only from a trial', () => {
    trials.left(SMALL, mix(1_000_001, 0));
    trials.left(MAIN, mix(1_000_002, 0));
    for (let n = 0; n < 300; n++) trials.left(SMALL, mix(n, 0));
    expect(trials.isBack(mix(1_000_001, 0))).toBe(true);
    expect(trials.isBack(mix(1_000_002, 0))).toBe(false);
    expect(trials.isBack(mix(1_000_003, 0))).toBe(false);
  });

  it('take no vote from what left long ago', () => {
    for (let n = 0; n < 400; n++) trials.left(SMALL, mix(n, 0));
    for (let n = 0; n < 300; n++) trials.isBack(mix(n, 0));
    expect(trials.share).toBe(0.1);
  });

  it('give up a segment while they have more than their share, else the main queue does', () => {
    const segments = new Segments(100, 10);
    segments.open(SMALL);
    expect(trials.victimQueue(segments)).toBe(SMALL);
    segments.open(MAIN);
    for (let i = 1; i < 10; i++) segments.open(SMALL);
    expect(trials.victimQueue(segments)).toBe(MAIN);
    segments.open(SMALL);
    expect(trials.victimQueue(segments)).toBe(SMALL);
  });

  it('keep two segments of a cache that has few', () => {
    const segments = new Segments(8, 10);
    segments.open(MAIN);
    for (let i = 0; i < 2; i++) segments.open(SMALL);
    expect(trials.victimQueue(segments)).toBe(MAIN);
  });
});
