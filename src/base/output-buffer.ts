/** Bytes on their way to one socket, gathered over an event-loop turn and sent with one write.
 *
 *  Sources are read buffers that are reused after the callback, so bytes are copied; but a copy costs 60 ns however
 *  short it is, and a pipeline's frames lie side by side. So the last piece stays a reference (a run) that grows while
 *  the next piece begins where it ends, and is copied once. Only one run is open in the process at any time, because
 *  one buffer is being read at any time; whoever reads into a shared buffer calls `settleRun()` before returning.
 *
 *  Cost: one copy a run, one small chunk while bytes are held; chunks come from a free list and go back to it. */
const SMALL_CHUNK = 4096;
export const LARGE_CHUNK = 65536;
const FREE_MAX = 512;
const free: { small: Buffer[]; large: Buffer[] } = { small: [], large: [] };

let openRun: OutputBuffer | undefined;
let runSource: Buffer = Buffer.alloc(0);
let runStart = 0;
let runEnd = 0;

/** Copy the open run, if any, out of its source. Must be called before the source's bytes change. */
export function settleRun(): void {
  if (openRun === undefined) return;
  const owner = openRun;
  openRun = undefined;
  owner.copyIn(runSource, runStart, runEnd);
}

function takeChunk(size: number): Buffer {
  if (size === SMALL_CHUNK) return free.small.pop() ?? Buffer.allocUnsafeSlow(SMALL_CHUNK);
  return free.large.pop() ?? Buffer.allocUnsafeSlow(LARGE_CHUNK);
}

/** Give chunks back whose bytes have left: new ones cost less to take than to collect, since memory outside the heap makes V8 collect
 *  the whole of it. */
function giveChunks(chunks: Buffer[]): void {
  for (const chunk of chunks) {
    const list = chunk.length === SMALL_CHUNK ? free.small : free.large;
    if (list.length < FREE_MAX) list.push(chunk);
  }
  chunks.length = 0;
}

/** What takes the bytes: a socket. `corkedWrite` sends all pieces with one system call where it can. */
export interface ByteSink {
  corkedWrite(pieces: readonly Buffer[]): void;
  /** Bytes of those pieces that have not left: none = nothing refers to the pieces any more. */
  readonly backlog: number;
}

export class OutputBuffer {
  /** Bytes held, the open run included. */
  length = 0;
  /** What is full, as it is to be sent; `#chunks` are the chunks of it. */
  #full: Buffer[] = [];
  readonly #chunks: Buffer[] = [];
  /** Chunks whose bytes may not all have left yet. */
  readonly #lent: Buffer[] = [];
  readonly #firstChunk: number;
  #chunk: Buffer | undefined;
  #used = 0;

  /** `firstChunk`: SMALL_CHUNK for the many that hold little, LARGE_CHUNK for the few that hold much (one write instead of
   *  a gathering one). */
  constructor(firstChunk: number = SMALL_CHUNK) {
    this.#firstChunk = firstChunk;
  }

  /** Append source[start, end). The bytes may be copied only later: see `settleRun`. */
  append(source: Buffer, start: number, end: number): void {
    this.length += end - start;
    if (openRun === this && runSource === source && runEnd === start) {
      runEnd = end;
      return;
    }
    if (openRun !== undefined) settleRun();
    // oxlint-disable-next-line typescript/no-this-alias -- one run is open in the process, and this is its owner
    openRun = this;
    runSource = source;
    runStart = start;
    runEnd = end;
  }

  /** Append bytes that never change (constants). */
  appendAll(source: Buffer): void {
    if (openRun !== undefined) settleRun();
    this.length += source.length;
    this.copyIn(source, 0, source.length);
  }

  /** Append source[start, end), copied now: for bytes that may change before the turn ends. */
  copy(source: Buffer, start: number, end: number): void {
    if (openRun !== undefined) settleRun();
    this.length += end - start;
    this.copyIn(source, start, end);
  }

  /** Append text of one byte a char, without a buffer in between. Bounds: text of at most 4096 chars. */
  appendLatin1(text: string): void {
    if (openRun !== undefined) settleRun();
    const size = text.length;
    this.length += size;
    if (this.#chunk === undefined || this.#chunk.length - this.#used < size) this.#nextChunk(size);
    this.#used += (this.#chunk as Buffer).latin1Write(text, this.#used, size);
  }

  /** For `settleRun` only: copy without counting. */
  copyIn(source: Buffer, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.#chunk === undefined || this.#used === this.#chunk.length) this.#nextChunk(end - from);
      const chunk = this.#chunk as Buffer;
      const size = Math.min(end - from, chunk.length - this.#used);
      source.copy(chunk, this.#used, from, from + size);
      this.#used += size;
      from += size;
    }
  }

  /** Hand everything to `sink` in one write. */
  flushTo(sink: ByteSink): void {
    if (openRun === this) settleRun();
    if (this.length > 0) {
      this.#endChunk();
      sink.corkedWrite(this.#full);
      this.#full = [];
      this.#lent.push(...this.#chunks);
      this.#chunks.length = 0;
      this.length = 0;
    }
    if (this.#lent.length > 0 && sink.backlog === 0) giveChunks(this.#lent);
  }

  /** Drop what was not written yet. To be called again when the socket has closed: it then refers to nothing. */
  clear(sink: ByteSink): void {
    if (openRun === this) openRun = undefined;
    this.#endChunk();
    giveChunks(this.#chunks);
    this.#full = [];
    this.length = 0;
    if (sink.backlog === 0) giveChunks(this.#lent);
  }

  #endChunk(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    this.#full.push(this.#used === chunk.length ? chunk : chunk.subarray(0, this.#used));
    this.#chunks.push(chunk);
    this.#chunk = undefined;
    this.#used = 0;
  }

  #nextChunk(wanted: number): void {
    const before = this.#chunk?.length;
    this.#endChunk();
    if (wanted > SMALL_CHUNK) this.#chunk = takeChunk(LARGE_CHUNK);
    else if (this.#full.length === 0) this.#chunk = takeChunk(this.#firstChunk);
    // Often the last few bytes of a large reply, for which a client that does not read should not take twice the memory.
    else this.#chunk = takeChunk(before === LARGE_CHUNK ? SMALL_CHUNK : LARGE_CHUNK);
    this.#used = 0;
  }
}
