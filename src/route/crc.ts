/** The three CRCs that nutcracker has. Shape: signed 32 bits (see key-hashes.ts).
 *  Source: nutcracker 0.5, nc_crc16.c and nc_crc32.c. */

const crc16Table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  return crc;
});
/** The bits are in reverse here. */
const crc32Table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** CRC-16/XMODEM, that of Redis Cluster, in the low 16 bits; what nutcracker has shifted out of them is in the others. */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    crc = (crc << 8) ^ (crc16Table[((crc >>> 8) ^ (bytes[at] as number)) & 0xff] as number);
  }
  return crc;
}

/** libmemcached's: 15 of the bits of CRC-32. Bounds: 0 to 32767, which on a ketama ring is less than the way to the first point:
 *  one shard has all keys. For `modula` only. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  return (crc32a(bytes, start, end) >>> 16) & 0x7fff;
}

/** CRC-32 as zlib and everybody else has it. */
export function crc32a(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  for (let at = start; at < end; at++) {
    crc = (crc >>> 8) ^ (crc32Table[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~crc;
}
