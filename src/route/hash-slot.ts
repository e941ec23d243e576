import { HashTag } from './hash-tag.ts';

/** Slots of a Redis Cluster. */
export const SLOTS = 16_384;

const tag = new HashTag('{}');

/** The slot of a key: CRC16 of the key, or of its hash tag when it has one, so that keys with one tag lie together.
 *  Shape: the key is bytes[start, end). Bounds: 0 to 16,383.
 *  Cost: O(length), no allocation. Source: Redis Cluster specification, "Hash tags". */
export function slotOf(bytes: Buffer, start: number, end: number): number {
  tag.locate(bytes, start, end);
  let crc = 0;
  for (let at = tag.start; at < tag.end; at++) {
    crc = ((crc << 8) & 0xffff) ^ (XMODEM[(crc >>> 8) ^ (bytes[at] as number)] as number);
  }
  return crc & (SLOTS - 1);
}

/** CRC16-XMODEM, a byte at a time: polynomial 0x1021, start value 0, nothing reflected. */
const XMODEM: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
  return crc & 0xffff;
});
