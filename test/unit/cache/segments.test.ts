import { describe, expect, it } from 'vitest';

import { FREE, MAIN, NONE, Segments, SMALL } from '../../../src/cache/segments.ts';

/** Append in a queue, with a new segment where there is no room. */
function append(segments: Segments, queue: typeof MAIN | typeof SMALL, units: number): number {
  const unit = segments.append(queue, units);
  if (unit !== -1) return unit;
  segments.open(queue);
  return segments.append(queue, units);
}

describe('Segments', () => {
  it('fills a segment before a queue needs another', () => {
    const segments = new Segments(4, 10);
    expect([append(segments, SMALL, 6), append(segments, SMALL, 4), append(segments, SMALL, 1)]).toEqual([
      0, 6, 10,
    ]);
    expect([...segments.held]).toEqual([2, 2, 0]);
  });

  it('never places an entry across the end of a segment', () => {
    const segments = new Segments(4, 10);
    append(segments, MAIN, 6);
    expect(segments.append(MAIN, 5)).toBe(-1);
    expect(append(segments, MAIN, 5)).toBe(10);
    expect([segments.startOf(0), segments.endOf(0), segments.endOf(1)]).toEqual([0, 6, 15]);
  });

  it('knows which segment of a queue is oldest by its opening, not by its place', () => {
    const segments = new Segments(3, 10);
    for (let i = 0; i < 3; i++) append(segments, MAIN, 10);
    segments.free(0);
    append(segments, MAIN, 10);
    expect(segments.oldest(MAIN, 0)).toBe(1);
    expect(segments.oldest(MAIN, segments.openingOf(2) + 1)).toBe(0);
    expect(segments.oldest(SMALL, 0)).toBe(NONE);
  });

  it('opens a new segment after the newest was sealed or freed', () => {
    const segments = new Segments(4, 10);
    append(segments, MAIN, 1);
    segments.seal(0);
    expect(append(segments, MAIN, 1)).toBe(10);
    segments.free(1);
    expect(segments.append(MAIN, 1)).toBe(-1);
    expect(segments.held[FREE]).toBe(3);
  });

  it('finds the segment that lost most, once that is half of it, but not one that is being filled', () => {
    const segments = new Segments(4, 10);
    for (let i = 0; i < 3; i++) append(segments, MAIN, 10);
    segments.lose(0, 4);
    segments.lose(20, 10);
    expect(segments.emptiest()).toBe(NONE);
    segments.lose(0, 1);
    expect(segments.emptiest()).toBe(0);
    segments.lose(10, 6);
    expect(segments.emptiest()).toBe(1);
  });

  it('counts every segment as free after freeAll', () => {
    const segments = new Segments(3, 10);
    append(segments, MAIN, 1);
    append(segments, SMALL, 1);
    segments.freeAll();
    expect([...segments.held]).toEqual([3, 0, 0]);
    expect(segments.endOf(0)).toBe(0);
  });
});
