import { Pieces } from '../base/pieces.ts';
import { Scratch, SCRATCH_BYTES } from '../base/scratch.ts';
import { ASTERISK, CR, DOLLAR, LF, MINUS, UNDERSCORE, ZERO } from '../protocol/bytes.ts';

/** Where the next element of each part begins, and where the part ends. Only used inside one call. */
let next: Int32Array = new Int32Array(64);
let ends: Int32Array = new Int32Array(64);

const gathered = new Scratch();
const scratch = new Scratch();

/** One array out of the arrays that the parts of a request gave (MGET), in the order of the request.
 *
 *  Shape: `partOf[i]` is the index in `frames` of the part that the i-th key went to; each part's elements are bulk
 *  strings and nils, one for each of its keys, in the order of the request. Frames are whole.
 *  The result is good until the next call.
 *  Errors: undefined when a part has another number of elements than keys, or an element of another kind.
 *  Cost: O(keys + bytes), nothing decoded. */
export function mergeArrays(frames: readonly Buffer[], partOf: ArrayLike<number>): Buffer | undefined {
  const count = partOf.length;
  const header = `*${count}\r\n`;
  const parts = elementsOf(frames);
  if (parts === undefined) return undefined;
  let size = header.length;
  for (let part = 0; part < frames.length; part++) size += (ends[part] as number) - (next[part] as number);
  const merged = scratch.take(size);
  scratch.give(merged);
  let to = merged.buffer.latin1Write(header, 0, header.length);
  for (let key = 0; key < count; ) {
    // Neighbours that went to one part lie side by side in it.
    const part = partOf[key] as number;
    const elements = parts[part];
    if (elements === undefined) return undefined;
    const from = next[part] as number;
    const partEnd = ends[part] as number;
    let end = from;
    do {
      end = elementEnd(elements.buffer, end, partEnd);
      if (end === 0) return undefined;
      key++;
    } while (key < count && partOf[key] === part);
    to = elements.copy(from, end, merged, to);
    next[part] = end;
  }
  return to === size ? merged.buffer.subarray(0, size) : undefined;
}

/** Each part's elements, as `next` and `ends` say. Small parts lie in one scratch: to copy them costs less than a view of each.
 *  Undefined if one is no array. */
function elementsOf(frames: readonly Buffer[]): Pieces[] | undefined {
  if (frames.length > next.length) {
    next = new Int32Array(frames.length * 2);
    ends = new Int32Array(frames.length * 2);
  }
  let size = 0;
  for (const frame of frames) size += frame.length;
  const shared = size <= SCRATCH_BYTES ? gathered.take(size) : undefined;
  if (shared !== undefined) gathered.give(shared);
  const parts: Pieces[] = [];
  let at = 0;
  for (let part = 0; part < frames.length; part++) {
    const frame = frames[part] as Buffer;
    const first = bodyStart(frame);
    if (first === 0) return undefined;
    parts.push(shared ?? new Pieces(frame));
    next[part] = at + first;
    ends[part] = at + frame.length;
    if (shared !== undefined) at += frame.copy(shared.buffer, at);
  }
  return parts;
}

/** Where the elements of an array begin; 0 if it is none. */
function bodyStart(frame: Buffer): number {
  if (frame[0] !== ASTERISK || frame[1] === MINUS) return 0;
  let at = 2;
  while (at < frame.length && frame[at] !== LF) at++;
  return at < frame.length ? at + 1 : 0;
}

/** The end of the bulk string or nil that begins at `at`; 0 if there is none before `limit`. */
function elementEnd(frame: Buffer, at: number, limit: number): number {
  let end = 0;
  if (frame[at] === UNDERSCORE) {
    end = at + 3;
  } else if (frame[at] === DOLLAR && frame[at + 1] === MINUS) {
    end = at + 5;
  } else if (frame[at] === DOLLAR) {
    let length = 0;
    let i = at + 1;
    for (; i < limit && frame[i] !== CR; i++) {
      const digit = (frame[i] as number) - ZERO;
      if (digit < 0 || digit > 9) return 0;
      length = length * 10 + digit;
    }
    end = i + 2 + length + 2;
  }
  return end <= limit ? end : 0;
}
