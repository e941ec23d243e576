/** SuperFastHash by Paul Hsieh. Shape: signed 32 bits (see key-hashes.ts).
 *  Source: azillionmonkeys.com/qed/hash.html; nutcracker 0.5, nc_hsieh.c. */
export function hsieh(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  let at = start;
  for (const stop = end - 3; at < stop; at += 4) {
    hash = (hash + pairAt(bytes, at)) | 0;
    hash = (hash << 16) ^ (pairAt(bytes, at + 2) << 11) ^ hash;
    hash = (hash + (hash >>> 11)) | 0;
  }
  hash = lastBytes(hash, bytes, at, end);
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  return (hash + (hash >>> 6)) | 0;
}

/** What is left when the rest is a multiple of four. */
function lastBytes(before: number, bytes: Uint8Array, at: number, end: number): number {
  let hash = before;
  switch (end - at) {
    case 3:
      hash = (hash + pairAt(bytes, at)) | 0;
      hash ^= hash << 16;
      // The only byte that counts as signed here, as nutcracker's `char` is on x86.
      hash ^= (((bytes[at + 2] as number) << 24) >> 24) << 18;
      return (hash + (hash >>> 11)) | 0;
    case 2:
      hash = (hash + pairAt(bytes, at)) | 0;
      hash ^= hash << 11;
      return (hash + (hash >>> 17)) | 0;
    case 1:
      hash = (hash + (bytes[at] as number)) | 0;
      hash ^= hash << 10;
      return (hash + (hash >>> 1)) | 0;
    default:
      return hash;
  }
}

function pairAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}
