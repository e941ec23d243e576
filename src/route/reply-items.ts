import { latin1 } from '../base/latin1.ts';
import { ASTERISK, BANG, COLON, GREATER, LF, MINUS, TILDE } from '../protocol/bytes.ts';
import { ReplyScanner } from '../protocol/reply-scanner.ts';
import { parseInteger } from '../protocol/request-line.ts';

/** Whether a whole reply is an error. */
export function isError(frame: Buffer): boolean {
  return frame[0] === MINUS || frame[0] === BANG;
}

/** The value of a whole integer reply. Errors: NaN for any other. Bounds: exact up to 2^53. */
export function integerOf(frame: Buffer): number {
  return frame[0] === COLON ? parseInteger(frame, 1, frame.length - 2) : NaN;
}

/** The elements of an array or set, each a frame of its own. Errors: undefined for any other reply.
 *  Shape: views, no copies. Cost: O(values). */
export function itemsOf(frame: Buffer): Buffer[] | undefined {
  const type = frame[0];
  if (type !== ASTERISK && type !== TILDE && type !== GREATER) return undefined;
  let at = frame.indexOf(LF) + 1;
  const count = parseInteger(frame, 1, at - 2);
  if (!(count >= 0)) return undefined;
  const scanner = new ReplyScanner();
  const items: Buffer[] = [];
  while (items.length < count) {
    const end = scanner.next(frame, at, frame.length);
    if (end < 0) return undefined;
    items.push(frame.subarray(at, end));
    at = end;
  }
  return at === frame.length ? items : undefined;
}

/** An array of elements that are frames already. */
export function arrayOf(items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(`*${items.length}\r\n`), ...items]);
}

/** The bytes of a frame as a string, one char a byte, to compare by. */
export function textOf(frame: Buffer): string {
  return latin1(frame, 0, frame.length);
}
