import { describe, expect, it } from 'vitest';

import { FrequencySketch } from '../../../src/cache/frequency-sketch.ts';
import { mix } from '../../../src/cache/key-hash.ts';

describe('FrequencySketch', () => {
  it('counts up to 15', () => {
    const sketch = new FrequencySketch(1000);
    const estimates: number[] = [];
    for (let i = 0; i < 20; i++) {
      estimates.push(sketch.estimate(mix(1, 0)));
      sketch.increment(mix(1, 0));
    }
    expect(estimates).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15, 15, 15]);
  });

  it('overestimates few of as many others as it was made for', () => {
    const sketch = new FrequencySketch(1000);
    for (let n = 0; n < 1000; n++) sketch.increment(mix(n, 0));
    let wrong = 0;
    for (let n = 0; n < 1000; n++) if (sketch.estimate(mix(n, 0)) !== 1) wrong++;
    expect(wrong).toBeLessThan(100);
  });

  it('forgets what is asked for no longer', () => {
    const sketch = new FrequencySketch(1000);
    for (let i = 0; i < 15; i++) sketch.increment(mix(1, 0));
    for (let n = 0; n < 40_000; n++) sketch.increment(mix(2 + (n % 100), 0));
    expect(sketch.estimate(mix(1, 0))).toBeLessThan(3);
  });

  it('takes 8 bytes an entry, in whole cache lines', () => {
    expect(new FrequencySketch(1000).byteLength).toBe(8000);
    expect(new FrequencySketch(1).byteLength).toBe(64);
  });
});
