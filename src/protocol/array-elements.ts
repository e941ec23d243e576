import { DOLLAR, LF, UNDERSCORE } from './bytes.ts';
import { parseInteger } from './request-line.ts';

/** Where the elements of a flat array of bulk strings and nulls lie (a reply to MGET): element i is
 *  frame[ends[i], ends[i + 1]).
 *  Errors: undefined when the array has another length, or an element of another kind. Bounds: the frame is whole. */
export function elementEnds(frame: Buffer, count: number): number[] | undefined {
  const header = frame.indexOf(LF) + 1;
  if (parseInteger(frame, 1, header - 2) !== count) return undefined;
  const ends = [header];
  let at = header;
  for (let i = 0; i < count; i++) {
    const line = frame.indexOf(LF, at) + 1;
    if (line === 0) return undefined;
    if (frame[at] === DOLLAR) {
      const length = parseInteger(frame, at + 1, line - 2);
      at = length < 0 ? line : line + length + 2;
    } else if (frame[at] === UNDERSCORE) {
      at = line;
    } else {
      return undefined;
    }
    ends.push(at);
  }
  return at === frame.length ? ends : undefined;
}
