const factor = 0x5bd1e995;

/** MurmurHash2 with libmemcached's seed, which depends on the length. Shape: signed 32 bits (see key-hashes.ts).
 *  Source: nutcracker 0.5, nc_murmur.c. */
export function murmur(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let hash = Math.imul(0xdeadbeef, length) ^ length;
  let at = start;
  for (const stop = end - 3; at < stop; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    const mixed = Math.imul(word, factor);
    hash = Math.imul(hash, factor) ^ Math.imul(mixed ^ (mixed >>> 24), factor);
  }
  if (at < end) {
    for (let shift = 0; at < end; at++, shift += 8) hash ^= (bytes[at] as number) << shift;
    hash = Math.imul(hash, factor);
  }
  hash = Math.imul(hash ^ (hash >>> 13), factor);
  return hash ^ (hash >>> 15);
}
