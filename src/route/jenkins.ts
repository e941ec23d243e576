/** Two hashes by Bob Jenkins. Shape: signed 32 bits (see key-hashes.ts).
 *  Source: burtleburtle.net/bob/hash; nutcracker 0.5, nc_one_at_a_time.c and nc_jenkins.c. */

/** one-at-a-time, with bytes that count as signed: that is what nutcracker's `char` is on x86. */
export function oneAtATime(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) {
    hash = (hash + (((bytes[at] as number) << 24) >> 24)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  return (hash + (hash << 15)) | 0;
}

/** lookup3, `hashlittle`, with libmemcached's start value of 13. */
export function jenkins(bytes: Uint8Array, start: number, end: number): number {
  let a = (0xdeadbeef + (end - start) + 13) | 0;
  let b = a;
  let c = a;
  if (start === end) return c;
  let at = start;
  for (; end - at > 12; at += 12) {
    a = (a + wordAt(bytes, at, end)) | 0;
    b = (b + wordAt(bytes, at + 4, end)) | 0;
    c = (c + wordAt(bytes, at + 8, end)) | 0;
    a = (a - c) ^ ((c << 4) | (c >>> 28));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 6) | (a >>> 26));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 8) | (b >>> 24));
    b = (b + a) | 0;
    a = (a - c) ^ ((c << 16) | (c >>> 16));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 19) | (a >>> 13));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 4) | (b >>> 28));
    b = (b + a) | 0;
  }
  a = (a + wordAt(bytes, at, end)) | 0;
  b = (b + wordAt(bytes, at + 4, end)) | 0;
  c = (c + wordAt(bytes, at + 8, end)) | 0;
  c = ((c ^ b) - ((b << 14) | (b >>> 18))) | 0;
  a = ((a ^ c) - ((c << 11) | (c >>> 21))) | 0;
  b = ((b ^ a) - ((a << 25) | (a >>> 7))) | 0;
  c = ((c ^ b) - ((b << 16) | (b >>> 16))) | 0;
  a = ((a ^ c) - ((c << 4) | (c >>> 28))) | 0;
  b = ((b ^ a) - ((a << 14) | (a >>> 18))) | 0;
  return ((c ^ b) - ((b << 24) | (b >>> 8))) | 0;
}

/** Four bytes, the first the lowest; those from `end` on are 0. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }
  let word = 0;
  for (let byte = at, shift = 0; byte < end; byte++, shift += 8) word |= (bytes[byte] as number) << shift;
  return word;
}
