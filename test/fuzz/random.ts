/** Numbers that repeat: what a round sends depends on its seed alone, so that a failure can be sent again.
 *  Source: mulberry32, Tommy Ettinger. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Shape: in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Bounds: min ≤ result ≤ max. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }

  list<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: this.int(min, max) }, make);
  }

  /** Bytes out of `alphabet`, of all values when there is none. */
  bytes(length: number, alphabet?: string): Buffer {
    return Buffer.from(
      Array.from({ length }, () =>
        alphabet === undefined ? this.int(0, 255) : alphabet.charCodeAt(this.int(0, alphabet.length - 1)),
      ),
    );
  }

  /** These bytes in pieces of random sizes. */
  pieces(bytes: Buffer): Buffer[] {
    const longest = this.pick([1, 3, 40, 1000, 100_000]);
    // Byte by byte is for short streams: each piece is a packet.
    const shortest = Math.ceil(bytes.length / 400);
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = Math.max(shortest, this.int(1, longest));
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    return pieces;
  }

  /** A seed for something that has its own sequence. */
  seed(): number {
    return this.int(0, 2 ** 32 - 1);
  }
}
