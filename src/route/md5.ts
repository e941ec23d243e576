/** MD5 without an allocation, which node:crypto cannot do, and where a FIPS build of it refuses MD5: here it spreads keys,
 *  and protects nothing. Source: RFC 1321. */

const sines = Int32Array.from({ length: 64 }, (_, step) =>
  Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32),
);
/** Four rounds, each with four amounts in turn. */
const shifts = Uint8Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);
const initial = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);

const block = new Int32Array(16);
const digest = new Int32Array(4);

/** The first four bytes of the digest, the first the lowest. Shape: signed 32 bits (see key-hashes.ts). */
export function md5(bytes: Uint8Array, start: number, end: number): number {
  return md5Words(bytes, start, end)[0] as number;
}

/** The digest as four numbers. Shape: overwritten by the next call. Cost: 0.2 µs a block of 64 bytes. */
export function md5Words(bytes: Uint8Array, start: number, end: number): Readonly<Int32Array> {
  digest.set(initial);
  let at = start;
  for (; end - at >= 64; at += 64) {
    for (let word = 0; word < 16; word++) block[word] = wordAt(bytes, at + 4 * word);
    addBlock();
  }
  // What is left, one bit that is 1, zeros, and the length in bits in the last eight bytes.
  block.fill(0);
  const left = end - at;
  for (let i = 0; i < left; i++) orByte(i, bytes[at + i] as number);
  orByte(left, 0x80);
  if (left >= 56) {
    addBlock();
    block.fill(0);
  }
  block[14] = (end - start) << 3;
  block[15] = (end - start) >>> 29;
  addBlock();
  return digest;
}

function orByte(at: number, byte: number): void {
  block[at >> 2] = (block[at >> 2] as number) | (byte << ((at & 3) << 3));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function addBlock(): void {
  let a = digest[0] as number;
  let b = digest[1] as number;
  let c = digest[2] as number;
  let d = digest[3] as number;
  for (let step = 0; step < 64; step++) {
    let mixed: number;
    let word: number;
    if (step < 16) {
      mixed = d ^ (b & (c ^ d));
      word = step;
    } else if (step < 32) {
      mixed = c ^ (d & (b ^ c));
      word = 5 * step + 1;
    } else if (step < 48) {
      mixed = b ^ c ^ d;
      word = 3 * step + 5;
    } else {
      mixed = c ^ (b | ~d);
      word = 7 * step;
    }
    const sum = (a + mixed + (sines[step] as number) + (block[word & 15] as number)) | 0;
    const shift = shifts[((step >> 4) << 2) | (step & 3)] as number;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  digest[0] = (digest[0] as number) + a;
  digest[1] = (digest[1] as number) + b;
  digest[2] = (digest[2] as number) + c;
  digest[3] = (digest[3] as number) + d;
}
