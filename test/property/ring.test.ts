import { createHash } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../bench/workload/seeded-random.ts';
import { keyHashNames, keyHashOf } from '../../src/route/key-hashes.ts';
import { distributions, Ring, type RingOptions, type RingShard } from '../../src/route/ring.ts';

const LIMITS = { interruptAfterTimeLimit: 3000, markInterruptAsFailure: false };

const options: fc.Arbitrary<RingOptions> = fc.record({
  distribution: fc.constantFrom(...distributions),
  hash: fc.constantFrom(...keyHashNames),
  hashTag: fc.constantFrom('', '{}', '$$'),
});
const shards: fc.Arbitrary<RingShard[]> = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
    weight: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1000 })),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 30 },
);
/** Few different bytes, so that tags come about. */
const keys: fc.Arbitrary<Buffer[]> = fc.array(
  fc
    .array(fc.constantFrom(0x61, 0x62, 0x7b, 0x7d, 0x24, 0xff, 0), { maxLength: 20 })
    .map((bytes) => Buffer.from(bytes)),
  { minLength: 1, maxLength: 30 },
);

describe('a ring', () => {
  it('places any key where a search of all points by hand does', () => {
    fc.assert(
      fc.property(options, shards, keys, (given, list, wanted) => {
        const ring = new Ring(given, list);
        for (const key of wanted) {
          expect(list[ring.place(key, 0, key.length)]?.name).toBe(placeByHand(given, list, key));
        }
      }),
      LIMITS,
    );
  });

  it('gives a shard that is added keys of all others, and moves no key between those', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(names, (all) => {
        const equal = all.map((name) => ({ name, weight: 1 }));
        const given = { distribution: 'ketama', hash: 'md5', hashTag: '' } as const;
        const [before, after] = [new Ring(given, equal.slice(0, -1)), new Ring(given, equal)];
        for (const key of someKeys(300)) {
          const place = after.place(key, 0, key.length);
          if (place !== all.length - 1) expect(place).toBe(before.place(key, 0, key.length));
        }
      }),
      LIMITS,
    );
  });

  it('keeps every key where it is when a shard changes its host but not its name', () => {
    fc.assert(
      fc.property(options, shards, keys, fc.webUrl(), (given, list, wanted, url) => {
        const [here, there] = [
          new Ring(given, list),
          new Ring(
            given,
            list.map((shard) => ({ ...shard, url })),
          ),
        ];
        for (const key of wanted)
          expect(there.place(key, 0, key.length)).toBe(here.place(key, 0, key.length));
      }),
      LIMITS,
    );
  });

  // crc32 has 15 bits, which is no more than a point of the ring.
  it.each(keyHashNames.filter((name) => name !== 'crc32'))(
    'is balanced and moves few keys with %s: at most 1.15 of the mean at 10 shards, 1/n + 2 % for the n-th of 20',
    (hash) => {
      const some = someKeys(20_000);
      let before: number[] = [];
      for (let count = 1; count <= 20; count++) {
        const equal = Array.from({ length: count }, (_, i) => ({ name: `shard${i}`, weight: 1 }));
        const ring = new Ring({ distribution: 'ketama', hash, hashTag: '' }, equal);
        const places = some.map((key) => ring.place(key, 0, key.length));
        const moved = places.filter((place, i) => place !== before[i]).length;
        if (count > 1) expect(moved / some.length).toBeLessThanOrEqual(1 / count + 0.02);
        if (count === 10) {
          const loads = equal.map((_, shard) => places.filter((place) => place === shard).length);
          expect(Math.max(...loads) / (some.length / count)).toBeLessThanOrEqual(1.15);
        }
        before = places;
      }
    },
  );

  it.each(keyHashNames)('allocates nothing to place a key with %s', (hash) => {
    const equal = Array.from({ length: 10 }, (_, i) => ({ name: `shard${i}`, weight: 1 }));
    const rings = distributions.map((distribution) => new Ring({ distribution, hash, hashTag: '{}' }, equal));
    const some = someKeys(1_000);
    // Code that is not compiled yet allocates what the compiled one does not.
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 300 && least >= 4; round++) {
      const before = allocatedBytes();
      for (const ring of rings) placeAll(ring, some);
      least = Math.min(least, (allocatedBytes() - before) / (rings.length * some.length));
    }
    // The smallest number that V8 allocates takes 16 bytes, and every second hash would be one.
    expect(least).toBeLessThan(4);
  });
});

/** What nutcracker does, in other words: all points as unsigned numbers, sorted, and looked through from the first. */
function placeByHand(given: RingOptions, list: readonly RingShard[], key: Buffer): string {
  const [open = '', close = ''] = given.hashTag;
  const from = given.hashTag === '' ? -1 : key.indexOf(open, 0, 'latin1');
  const to = from < 0 ? -1 : key.indexOf(close, from + 1, 'latin1');
  const part = to > from + 1 ? key.subarray(from + 1, to) : key;
  const hash = key.length === 0 ? 0 : keyHashOf(given.hash)(part, 0, part.length) >>> 0;
  const sorted = list.toSorted((a, b) => {
    const [left, right] = [Buffer.from(a.name), Buffer.from(b.name)];
    return left.length - right.length || Buffer.compare(left, right);
  });
  if (given.distribution === 'modula') {
    const turns = sorted.flatMap(({ name, weight }) => Array.from({ length: weight }, () => name));
    return turns[hash % turns.length] as string;
  }
  const total = Math.fround(sorted.reduce((sum, { weight }) => sum + weight, 0));
  const points = sorted.flatMap(({ name, weight }) => {
    const share = Math.fround(weight / total);
    const digests = Math.floor(Math.fround(Math.fround(Math.fround(share * 160) / 4) * sorted.length));
    return Array.from({ length: digests }, (_, i) =>
      createHash('md5').update(`${name}-${i}`).digest(),
    ).flatMap((digest) => [0, 4, 8, 12].map((at) => ({ name, value: digest.readUInt32LE(at) })));
  });
  points.sort((a, b) => a.value - b.value);
  return (points.find(({ value }) => value >= hash) ?? points[0])?.name as string;
}

/** Different keys, always the same, without a pattern that a weak hash would show. */
function someKeys(count: number): Buffer[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, () => Buffer.from(`session:${random().toString(36).slice(2)}`));
}

/** Without an iterator, which might be allocated. */
function placeAll(ring: Ring, some: readonly Buffer[]): number {
  let places = 0;
  for (let i = 0; i < some.length; i++) {
    const key = some[i] as Buffer;
    places += ring.place(key, 0, key.length);
  }
  return places;
}

/** Since the process began. */
function allocatedBytes(): number {
  const { total_allocated_bytes: total } = getHeapStatistics() as unknown as Record<
    string,
    number | undefined
  >;
  if (total === undefined) throw new Error('this Node does not count what it allocates');
  return total;
}
