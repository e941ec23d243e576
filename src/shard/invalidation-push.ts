/** Reads the pushes of CLIENT TRACKING. Shape: `>2 invalidate <array of keys | nil>`; nil (`_`, `$-1` or `*-1`) means
 *  everything. Any other push is not ours. Source: Redis client-side caching docs; coherence spec §3.7. */
const HEAD = Buffer.from('>2\r\n$10\r\ninvalidate\r\n', 'latin1');
const ASTERISK = 0x2a;
const MINUS = 0x2d;
const CR = 0x0d;

/** The keys named, as latin1 strings; 'all' for the null form; undefined when this is another push.
 *  Bounds: the frame is whole and was framed as valid RESP. */
export function invalidatedKeys(frame: Buffer, start: number, end: number): string[] | 'all' | undefined {
  const body = start + HEAD.length;
  if (body >= end || HEAD.compare(frame, start, body) !== 0) return undefined;
  if (frame[body] !== ASTERISK || frame[body + 1] === MINUS) return 'all';
  const keys: string[] = [];
  let at = lineEnd(frame, body);
  while (at < end) {
    const header = lineEnd(frame, at);
    const length = Number(frame.latin1Slice(at + 1, header - 2));
    keys.push(frame.latin1Slice(header, header + length));
    at = header + length + 2;
  }
  return keys;
}

/** One past the line feed of the line at `from`. */
function lineEnd(frame: Buffer, from: number): number {
  return frame.indexOf(CR, from) + 2;
}

/** Puts pushes together that come in several reads. Bounds: one push; Redis names at most one command's keys in it. */
export class PushReader {
  #parts: Buffer[] = [];

  /** The keys that a push names, with its last piece; undefined before that, and for pushes of other kinds. */
  read(chunk: Buffer, start: number, end: number, last: boolean): string[] | 'all' | undefined {
    if (last && this.#parts.length === 0) return invalidatedKeys(chunk, start, end);
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    if (!last) return undefined;
    const frame = Buffer.concat(this.#parts);
    this.#parts = [];
    return invalidatedKeys(frame, 0, frame.length);
  }
}
