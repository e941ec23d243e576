import { describe, expect, it } from 'vitest';

import { planMemory } from '../../../src/cache/memory-plan.ts';
import type { SegmentStoreOptions } from '../../../src/cache/segment-store.ts';

const MIB = 1024 * 1024;

function optionsOf(maxBytes: number, more: Partial<SegmentStoreOptions> = {}): SegmentStoreOptions {
  return { maxBytes, expectedEntryBytes: 128, maxItemBytes: MIB, maxKeyBytes: 65_535, seed: 1, ...more };
}

describe('planMemory', () => {
  it.each([32 * 1024, 1_000_000, MIB, 5_555_555, 64 * MIB, 256 * MIB, 4096 * MIB])(
    'divides %i bytes with nothing over and little left',
    (maxBytes) => {
      const plan = planMemory(optionsOf(maxBytes), 12);
      expect(plan.totalBytes).toBeLessThanOrEqual(maxBytes);
      expect(plan.totalBytes).toBeGreaterThan(0.99 * maxBytes);
      expect(plan.segmentBytes % 8).toBe(0);
    },
  );

  it('cuts memory into 64 to 256 segments of 64 KiB to 1 MiB, and smaller ones only below 4 MiB', () => {
    const shape = (maxBytes: number): [number, number] => {
      const { segments, segmentBytes } = planMemory(optionsOf(maxBytes), 4);
      return [segments, Math.round(segmentBytes / 1024)];
    };
    expect(shape(MIB)[0]).toBeGreaterThan(50);
    expect(shape(16 * MIB)[1]).toBeGreaterThanOrEqual(64);
    expect(shape(64 * MIB)[0]).toBeGreaterThan(220);
    expect(shape(1024 * MIB)[1]).toBeGreaterThanOrEqual(1024);
  });

  it('has room in the index for as many entries of the expected size as fit', () => {
    const plan = planMemory(optionsOf(64 * MIB), 4);
    expect(Math.floor(plan.slots * 0.85) * 128).toBeGreaterThan(0.98 * plan.segments * plan.segmentBytes);
  });

  it('keeps no reply that is over a 64th of the cache or does not fit with its key into a segment', () => {
    expect(planMemory(optionsOf(MIB), 4).maxItemBytes).toBeLessThanOrEqual(16 * 1024);
    const { maxItemBytes, segmentBytes } = planMemory(optionsOf(64 * MIB, { maxKeyBytes: 1000 }), 4);
    expect(maxItemBytes).toBe(segmentBytes - 40 - 1000);
    expect(planMemory(optionsOf(64 * MIB, { maxItemBytes: 500 }), 4).maxItemBytes).toBe(500);
  });

  it('refuses memory that cannot be cut', () => {
    expect(() => planMemory(optionsOf(4000), 4)).toThrow(RangeError);
  });
});
