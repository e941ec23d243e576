import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseReply } from '../../src/protocol/reply-parser.ts';
import { planScan, scanReply } from '../../src/route/scan-cursor.ts';
import { requestOf } from '../support/request-of.ts';

const BUCKETS = 8;

/** A shard as Redis scans one: a cursor is a bucket of its table, whose elements come together. */
class FakeShard {
  readonly elements = new Set<number>();
  readonly #cursors: readonly string[];

  /** `step` spreads the cursors, so that large ones are met too. */
  constructor(step: bigint) {
    this.#cursors = Array.from({ length: BUCKETS }, (_, i) => String(BigInt(i) * step));
  }

  scan(cursor: string): Buffer {
    const bucket = this.#cursors.indexOf(cursor);
    expect(bucket).toBeGreaterThanOrEqual(0);
    const found = [...this.elements].filter((element) => element % BUCKETS === bucket);
    const next = this.#cursors[bucket + 1] ?? '0';
    const items = found.map((element) => `$${String(element).length}\r\n${element}\r\n`);
    return Buffer.from(`*2\r\n$${next.length}\r\n${next}\r\n*${items.length}\r\n${items.join('')}`);
  }
}

type Change =
  | { readonly kind: 'add' | 'remove'; readonly shard: number; readonly element: number }
  | { readonly kind: 'shard-gone' | 'shard-new'; readonly shard: number };

const shardNumber = fc.constantFrom(0, 1, 2, 5, 31, 40, 65_535);
const element = fc.nat({ max: 200 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('add', 'remove'), shard: shardNumber, element }),
  fc.record({ kind: fc.constantFrom('shard-gone', 'shard-new'), shard: shardNumber }),
);

/** Where an element is, as text, since several shards may have the same number. */
function placesOf(shards: ReadonlyMap<number, FakeShard>): Set<string> {
  return new Set(
    [...shards].flatMap(([number, { elements }]) => [...elements].map((one) => `${number}/${one}`)),
  );
}

test('a scan ends, and gives every element that is there all the time, whatever comes and goes', () => {
  const world = fc.record({
    start: fc.dictionary(shardNumber.map(String), fc.array(element, { maxLength: 40 }), { minKeys: 1 }),
    changes: fc.array(change, { maxLength: 40 }),
    step: fc.constantFrom(1n, 1000n, 2n ** 44n),
  });
  fc.assert(
    fc.property(world, ({ start, changes, step }) => {
      const shards = new Map(Object.entries(start).map(([number]) => [Number(number), new FakeShard(step)]));
      for (const [number, elements] of Object.entries(start))
        for (const one of elements) shards.get(Number(number))?.elements.add(one);
      const staying = placesOf(shards);
      const found = new Set<string>();
      let cursor = '0';
      let steps = 0;
      do {
        const numbers = [...shards.keys()].toSorted((a, b) => a - b);
        const planned = planScan(requestOf('SCAN', cursor, 'COUNT', '10'), numbers);
        const reply = Buffer.isBuffer(planned)
          ? planned
          : answer(shards, planned.shard, planned.bytes, numbers);
        const [next, elements] = parseReply(reply, 0, reply.length) as [string, string[]];
        if (!Buffer.isBuffer(planned)) for (const one of elements) found.add(`${planned.shard}/${one}`);
        cursor = next;
        const what = changes[steps];
        if (what !== undefined) apply(shards, what, step);
        const now = placesOf(shards);
        for (const place of staying) if (!now.has(place)) staying.delete(place);
        steps++;
      } while (cursor !== '0' && steps < 1000);
      expect(cursor).toBe('0');
      expect([...staying].filter((place) => !found.has(place))).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

function answer(
  shards: ReadonlyMap<number, FakeShard>,
  shard: number,
  bytes: Buffer,
  numbers: readonly number[],
): Buffer {
  const [, cursor] = parseReply(bytes, 0, bytes.length) as string[];
  const reply = (shards.get(shard) as FakeShard).scan(cursor as string);
  return scanReply(reply, shard, numbers);
}

function apply(shards: Map<number, FakeShard>, what: Change, step: bigint): void {
  if (what.kind === 'add') shards.get(what.shard)?.elements.add(what.element);
  else if (what.kind === 'remove') shards.get(what.shard)?.elements.delete(what.element);
  else if (what.kind === 'shard-new') shards.set(what.shard, shards.get(what.shard) ?? new FakeShard(step));
  // Some shard there always is.
  else if (shards.size > 1) shards.delete(what.shard);
}
