import { Pieces } from '../base/pieces.ts';
import { Scratch } from '../base/scratch.ts';
import { LF } from '../protocol/bytes.ts';
import { Request } from '../protocol/request.ts';

/** A part of a request is its command's name and some of its keys, each with the arguments behind it. All parts are written
 *  one behind the other into one buffer: where they end, in order. Reused by the next call. */
export const partEnds: number[] = [];

const scratch = new Scratch();
/** Nearly all requests are read into one buffer. */
let source: Pieces = new Pieces(Buffer.alloc(0));

/** Parts of a request. Shape: `groups` has the indices of each part's keys, `step` arguments belong to a key. The bytes are to be
 *  given back by `forgetParts`; like those of the request itself, they are copied by whoever keeps them.
 *  Cost: O(bytes). */
export function encodeParts(request: Request, groups: readonly (readonly number[])[], step: number): Pieces {
  const { buffer } = request;
  if (source.buffer !== buffer) source = new Pieces(buffer);
  const from = source;
  const nameStart = buffer.indexOf(LF, request.start) + 1;
  const nameEnd = request.argEnd(0) + 2;
  const size = request.end - request.start + groups.length * (nameEnd - nameStart + HEAD_CHARS_MAX);
  const parts = scratch.take(size);
  let at = 0;
  partEnds.length = 0;
  for (const indices of groups) {
    const head = `*${1 + indices.length * step}\r\n`;
    at += parts.buffer.latin1Write(head, at, head.length);
    at = from.copy(nameStart, nameEnd, parts, at);
    for (const index of indices) {
      at = from.copy(request.argEnd(index - 1) + 2, request.argEnd(index + step - 1) + 2, parts, at);
    }
    partEnds.push(at);
  }
  return parts;
}

/** All parts have been sent or answered. */
export function forgetParts(parts: Pieces): void {
  scratch.give(parts);
}

const HEAD_CHARS_MAX = 16;

/** One part as a request of its own; `parts` is from `encodeParts` of the same request. Cost: O(arguments). */
export function requestOfPart(parts: Buffer, start: number, end: number): Request {
  const part = new Request();
  part.buffer = parts;
  part.start = start;
  part.end = end;
  let at = start + 1;
  part.argc = readNumber(parts, at);
  part.bounds = new Int32Array(part.argc * 2);
  for (let i = 0; i < part.argc; i++) {
    at = parts.indexOf(LF, at) + 2;
    const size = readNumber(parts, at);
    const argStart = parts.indexOf(LF, at) + 1;
    part.bounds[i * 2] = argStart - start;
    part.bounds[i * 2 + 1] = argStart + size - start;
    at = argStart + size;
  }
  return part;
}

/** The decimal number that begins there. */
function readNumber(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; (bytes[i] as number) >= DIGIT_0; i++) value = value * 10 + (bytes[i] as number) - DIGIT_0;
  return value;
}

const DIGIT_0 = 0x30;
