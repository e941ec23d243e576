import { errorLine } from '../base/errors.ts';
import { latin1 } from '../base/latin1.ts';
import { LF } from '../protocol/bytes.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { parseInteger } from '../protocol/request-line.ts';

/** A cursor of SCAN over several shards is `shard * 2^48 + the shard's own cursor`, in 64 bits like Redis's.
 *
 *  A shard's own cursor stays below the size of its hash table. So the first shard's cursors are the plain ones, 0
 *  begins and 0 ends, and clients that read a cursor as a double are exact for the first 32 shards. */
const OWN_BITS = 48n;
const OWN_END: bigint = 1n << OWN_BITS;
const CURSOR_END: bigint = 1n << 64n;

const NOTHING_LEFT: Buffer = Buffer.from('*2\r\n$1\r\n0\r\n*0\r\n');

/** Where a scan goes on. */
export interface ScanStep {
  readonly shard: number;
  /** The request for that shard. */
  readonly bytes: Buffer;
}

/** The next step of a scan, or the reply that ends it.
 *
 *  Shape: `shards` are the numbers of all shards in rising order, at least one, each below 2^16. A shard keeps its number as
 *  long as it is there, whatever becomes of others; where a cursor names one that is gone, the scan goes on with the
 *  next higher. `bytes` may be the request's own.
 *  Errors: what is no cursor goes to the first shard as it is, for Redis to refuse (`ERR invalid cursor`). */
export function planScan(request: Request, shards: readonly number[]): ScanStep | Buffer {
  const own = request.buffer.subarray(request.start, request.end);
  const cursor = request.argc < 2 ? undefined : cursorOf(request.argLatin1(1));
  if (cursor === undefined) return { shard: shards[0] as number, bytes: own };
  const named = Number(cursor >> OWN_BITS);
  const shard = shards.find((number) => number >= named);
  if (shard === undefined) return NOTHING_LEFT;
  return { shard, bytes: withCursor(request, shard === named ? cursor % OWN_END : 0n) };
}

function cursorOf(text: string): bigint | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const cursor = BigInt(text);
  return cursor < CURSOR_END ? cursor : undefined;
}

function withCursor(request: Request, cursor: bigint): Buffer {
  const args: Buffer[] = [];
  for (let i = 0; i < request.argc; i++) {
    const given = request.buffer.subarray(request.argStart(i), request.argEnd(i));
    args.push(i === 1 ? Buffer.from(String(cursor)) : given);
  }
  return encodeRequest(args);
}

/** The reply of one shard with a cursor for the next call: on with the shard while it has more, else the beginning of the
 *  next one, else 0.
 *
 *  Shape: a whole frame, `shards` as in `planScan`. What is no reply to SCAN (an error) stays as it is.
 *  Errors: an error reply when a shard's own cursor leaves no room for its number. Cost: O(bytes), one copy. */
export function scanReply(frame: Buffer, shard: number, shards: readonly number[]): Buffer {
  const found = ownCursor(frame);
  if (found === undefined) return frame;
  if (found.cursor >= OWN_END) return errorLine('CURSOR_TOO_LARGE');
  const text = String(cursorAfter(found.cursor, shard, shards));
  const head = Buffer.from(`*2\r\n$${text.length}\r\n${text}\r\n`);
  return Buffer.concat([head, frame.subarray(found.end)]);
}

function cursorAfter(own: bigint, shard: number, shards: readonly number[]): bigint {
  if (own !== 0n) return (BigInt(shard) << OWN_BITS) + own;
  const following = shards.find((number) => number > shard);
  return following === undefined ? 0n : BigInt(following) << OWN_BITS;
}

/** The cursor in a reply to SCAN, and where the elements begin. */
function ownCursor(frame: Buffer): { cursor: bigint; end: number } | undefined {
  const header = '*2\r\n$';
  if (latin1(frame, 0, header.length) !== header) return undefined;
  const start = frame.indexOf(LF, header.length) + 1;
  const length = parseInteger(frame, header.length, start - 2);
  const cursor = start === 0 ? undefined : cursorOf(latin1(frame, start, start + length));
  return cursor === undefined ? undefined : { cursor, end: start + length + 2 };
}
