import { HEADER_BYTES, UNIT } from './entry-pool.ts';
import type { TablePlan } from './entry-table.ts';
import { SLOT_BYTES } from './key-index.ts';
import { SEGMENT_ACCOUNT_BYTES } from './segments.ts';
import type { SegmentStoreOptions } from './segment-store.ts';

/** How `maxBytes` is divided among entries, index and what the policy remembers. */
export interface MemoryPlan extends TablePlan {
  /** Entries that are expected to fit: for so many the policy remembers things. */
  entries: number;
  /** All of it. Units: bytes. Bounds: at most `maxBytes`. */
  totalBytes: number;
  maxItemBytes: number;
}

/** Units: `policyBytes` = what the policy remembers per expected entry. Errors: RangeError when `maxBytes` is too little. */
export function planMemory(options: SegmentStoreOptions, policyBytes: number): MemoryPlan {
  const { maxBytes } = options;
  const perEntry = SLOT_BYTES / LOAD_EXPECTED + policyBytes;
  const entries = Math.floor(maxBytes / (Math.max(options.expectedEntryBytes, HEADER_BYTES) + perEntry));
  const slots = Math.ceil(entries / LOAD_EXPECTED) + 1;
  const besideBytes = slots * SLOT_BYTES + Math.ceil(entries * policyBytes) + POLICY_ROUNDING_BYTES;
  const wished = options.segmentBytes ?? segmentBytesFor(maxBytes);
  const segments = Math.floor((maxBytes - besideBytes) / (wished + SEGMENT_ACCOUNT_BYTES));
  if (segments < SEGMENTS_MIN) {
    throw new RangeError(`A cache of ${maxBytes} bytes is too small: it has room for ${segments} segments`);
  }
  const room = Math.floor((maxBytes - besideBytes) / segments) - SEGMENT_ACCOUNT_BYTES;
  const segmentBytes = options.segmentBytes ?? room - (room % UNIT);
  return {
    entries,
    slots,
    segments,
    segmentBytes,
    hashBits: options.hashBits ?? 32,
    totalBytes: besideBytes + segments * (segmentBytes + SEGMENT_ACCOUNT_BYTES),
    maxItemBytes: maxItemBytesOf(options, segmentBytes),
  };
}

/** A reply of this size fits into a segment with any key that is not itself a quarter of one, and is no more than a 64th of
 *  the cache, unless the size of segments is given. */
function maxItemBytesOf(options: SegmentStoreOptions, segmentBytes: number): number {
  const room = segmentBytes - HEADER_BYTES - Math.min(options.maxKeyBytes, segmentBytes >> 2);
  const part = options.segmentBytes === undefined ? Math.floor(options.maxBytes / 64) : Infinity;
  return Math.max(0, Math.min(options.maxItemBytes, part, room));
}

/** Some 256 segments, unless they would be so small that few values fit, or so large that emptying one takes long. */
function segmentBytesFor(maxBytes: number): number {
  const least = Math.min(64 * 1024, Math.max(1024, maxBytes / 64));
  return Math.min(Math.max(maxBytes / 256, least), 1024 * 1024);
}

/** Of the index, when all entries are as large as expected: runs are short, and there is room for smaller ones. */
const LOAD_EXPECTED = 0.7;
/** Two queues with two segments each, a reserve, and something to choose from. */
const SEGMENTS_MIN = 8;
/** Tables of the policy are rounded up to whole buckets. */
const POLICY_ROUNDING_BYTES = 128;
