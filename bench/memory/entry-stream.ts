import { randomFillSync } from 'node:crypto';

import type { Random } from '../../src/base/random.ts';
import type { EntryId } from '../../src/cache/store.ts';
import { reusedId } from '../workload/byte-cache.ts';
import { drawValueBytes, keyBytesLeast, keyBytesMost, valueBytesMost } from '../workload/entry-size.ts';
import { seededRandom } from '../workload/seeded-random.ts';

/** Entries as production caches have them, made without an allocation each.
 *  Shape: `id` is the key named last, source[start, end) the value drawn last. */
export class EntryStream {
  readonly id: EntryId = reusedId(Buffer.alloc(keyBytesMost, 'k'));
  readonly source: Buffer = randomFillSync(Buffer.allocUnsafeSlow(4 * valueBytesMost));
  start = 0;
  end = 0;
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Makes `id` the key of that number; lengths are spread evenly over the numbers. */
  name(number: number): void {
    const { id } = this;
    id.bytes.writeUIntBE(number, 0, 6);
    id.keyEnd = keyBytesLeast + ((number * 17) % (keyBytesMost - keyBytesLeast + 1));
    id.argsStart = id.argsEnd = id.keyEnd;
  }

  drawValue(): void {
    const bytes = drawValueBytes(this.#random);
    this.start = Math.floor(this.#random() * (this.source.length - bytes));
    this.end = this.start + bytes;
  }
}
