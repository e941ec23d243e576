/** FNV as nutcracker has it. Bytes count as signed, which is what its `char` is on x86; no common FNV library agrees on
 *  bytes above 127. Shape: signed 32 bits (see key-hashes.ts). Source: nutcracker 0.5, nc_fnv.c. */

const init32 = 0x811c9dc5 | 0;
const prime32 = 0x01000193;
/** The low halves of the 64-bit constants, 0xcbf29ce484222325 and 0x100000001b3. */
const init64 = 0x84222325 | 0;
const prime64 = 0x1b3;

/** Only the low half of a product or an XOR is kept at the end, and the low half of each step needs no more than the low
 *  half of the step before: 64 bits need not be computed. */
export function fnv1x64(bytes: Uint8Array, start: number, end: number): number {
  return multiplyFirst(init64, prime64, bytes, start, end);
}

/** nutcracker computes this one in 32 bits, with the constants cut off. */
export function fnv1ax64(bytes: Uint8Array, start: number, end: number): number {
  return multiplyLast(init64, prime64, bytes, start, end);
}

export function fnv1x32(bytes: Uint8Array, start: number, end: number): number {
  return multiplyFirst(init32, prime32, bytes, start, end);
}

export function fnv1ax32(bytes: Uint8Array, start: number, end: number): number {
  return multiplyLast(init32, prime32, bytes, start, end);
}

function multiplyFirst(init: number, prime: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = init;
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash, prime) ^ (((bytes[at] as number) << 24) >> 24);
  }
  return hash;
}

function multiplyLast(init: number, prime: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = init;
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (((bytes[at] as number) << 24) >> 24), prime);
  }
  return hash;
}
