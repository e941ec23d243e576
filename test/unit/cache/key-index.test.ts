import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { KeyIndex } from '../../../src/cache/key-index.ts';

/** Units found on the run of `hash`. */
function unitsOf(index: KeyIndex, hash: number): number[] {
  const units: number[] = [];
  for (let slot = index.home(hash); index.slots[slot + 1] !== 0; slot = index.next(slot)) {
    if (index.slots[slot] === hash) units.push((index.slots[slot + 1] as number) - 1);
  }
  return units.toSorted((a, b) => a - b);
}

describe('KeyIndex', () => {
  it('keeps 15 of 100 slots empty, so that every run ends', () => {
    expect(new KeyIndex(100).capacity).toBe(85);
  });

  it('finds every entry of a hash, after any adding and removing, across the end of the table', () => {
    // Hashes at both ends of the range, few enough to collide and to wrap around.
    const hash = fc.constantFrom(0, 1, 2 ** 30, -1, -2, -(2 ** 31), 2 ** 31 - 1, -(2 ** 27), 5 << 26);
    const steps = fc.array(fc.record({ hash, isRemoval: fc.boolean(), pick: fc.nat() }), {
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(steps, (list) => {
        const index = new KeyIndex(20);
        let kept: { hash: number; unit: number }[] = [];
        for (const [unit, { hash, isRemoval, pick }] of list.entries()) {
          if (isRemoval && kept.length > 0) {
            const gone = kept[pick % kept.length] as { hash: number; unit: number };
            index.removeAt(index.slotOf(gone.hash, gone.unit));
            kept = kept.filter((one) => one !== gone);
          } else if (kept.length < index.capacity) {
            index.add(hash, unit);
            kept.push({ hash, unit });
          }
        }
        expect(index.count).toBe(kept.length);
        for (const { hash } of kept) {
          expect(unitsOf(index, hash)).toEqual(
            kept.filter((one) => one.hash === hash).map(({ unit }) => unit),
          );
        }
      }),
    );
  });

  it('is empty after clear', () => {
    const index = new KeyIndex(20);
    index.add(7, 3);
    index.clear();
    expect(unitsOf(index, 7)).toEqual([]);
    expect(index.count).toBe(0);
  });

  it('says so when it is asked for an entry that it does not have', () => {
    expect(() => new KeyIndex(20).slotOf(1, 1)).toThrow(/missing from its index/);
  });
});
