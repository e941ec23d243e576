const lf = 10;

/** Cuts a stream of replies into frames, RESP2 and RESP3. It shares no line with src/protocol, so that it can be an oracle
 *  for it, and it is simple rather than fast: a nested frame that arrives in pieces is measured again with each piece.
 *  Bounds: streamed types (`$?`, `*?`) are refused. An attribute and the reply behind it count as one frame. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  /** No frame can end before this many bytes are here, so that a bulk string costs one copy however many chunks it has. */
  #needed = 1;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next frame's bytes, or undefined while it has not arrived whole. */
  take(): Buffer | undefined {
    if (this.#length < this.#needed) return undefined;
    const all = this.#joined();
    const end = frameEnd(all, 0);
    if (end > all.length) {
      this.#needed = end;
      return undefined;
    }
    this.#replace(all.subarray(end));
    return all.subarray(0, end);
  }

  /** All bytes that no frame has taken. */
  rest(): Buffer {
    const all = this.#joined();
    this.#replace(Buffer.alloc(0));
    return all;
  }

  #joined(): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #replace(rest: Buffer): void {
    this.#chunks = [rest];
    this.#length = rest.length;
    this.#needed = 1;
  }
}

/** Where the frame at `start` ends. A result beyond the buffer says that at least so many bytes are needed.
 *  Errors: throws on a byte that begins no RESP type, and on a count that is none. */
export function frameEnd(buffer: Buffer, start: number): number {
  const lineEnd = buffer.indexOf(lf, start) + 1;
  if (lineEnd === 0) return buffer.length + 1;
  const type = String.fromCharCode(buffer[start] as number);
  if ('+-:_,#('.includes(type)) return lineEnd;
  const count = Number(buffer.toString('latin1', start + 1, lineEnd - 2));
  if (!Number.isInteger(count)) throw new Error(`not a RESP frame: ${JSON.stringify(type)} without a count`);
  if ('$=!'.includes(type)) return count < 0 ? lineEnd : lineEnd + count + 2;
  return endOfChildren(buffer, lineEnd, childCount(type, count));
}

/** The frames directly inside an aggregate frame; none for any other frame. */
export function childFrames(frame: Buffer): Buffer[] {
  const type = String.fromCharCode(frame[0] as number);
  if (!'*~>%'.includes(type)) return [];
  const headEnd = frame.indexOf(lf) + 1;
  const count = childCount(type, Number(frame.toString('latin1', 1, headEnd - 2)));
  const children: Buffer[] = [];
  for (let at = headEnd; children.length < count; ) {
    const end = frameEnd(frame, at);
    children.push(frame.subarray(at, end));
    at = end;
  }
  return children;
}

function childCount(type: string, count: number): number {
  if ('*~>'.includes(type)) return count;
  if (type === '%') return count * 2;
  if (type === '|') return count * 2 + 1;
  throw new Error(`not a RESP frame: ${JSON.stringify(type)}`);
}

function endOfChildren(buffer: Buffer, start: number, count: number): number {
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at >= buffer.length) return buffer.length + 1;
    at = frameEnd(buffer, at);
  }
  return at;
}
