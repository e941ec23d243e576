import { crc16 } from './crc.ts';
import { HashTag } from './hash-tag.ts';

/** Slots of a Redis Cluster. */
export const SLOTS = 16_384;

const tag = new HashTag('{}');

/** The slot of a key: CRC16 of the key, or of its hash tag when it has one, so that keys with one tag lie together.
 *  Shape: the key is bytes[start, end). Bounds: 0 to 16,383.
 *  Cost: O(length), no allocation. Source: Redis Cluster specification, "Hash tags". */
export function slotOf(bytes: Buffer, start: number, end: number): number {
  tag.locate(bytes, start, end);
  return crc16(bytes, tag.start, tag.end) & (SLOTS - 1);
}
