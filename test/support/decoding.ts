import type { RequestLimits } from '../../src/protocol/limits.ts';
import type { Request } from '../../src/protocol/request.ts';
import { DEFAULT_REQUEST_LIMITS } from '../../src/protocol/limits.ts';
import { BIG, EMPTY, ERROR, MORE, REQUEST, RequestDecoder } from '../../src/protocol/request-decoder.ts';

/** What a stream of requests turned into: arguments as latin1, or what else happened. `big` gives the arguments that were
 *  complete and all bytes that were skimmed. */
export type Decoded = string[] | 'empty' | { error: string } | { big: string[]; bytes: string };

export interface DecodingOptions {
  limits?: Partial<RequestLimits>;
  authenticated?: boolean;
}

/** Up to this size the bytes are moved between calls, as a caller may do; moving more would be slow. */
const MOVED_BYTES_MAX = 4096;
/** Bytes beyond `end` that would change the result if they were read. */
const JUNK = Buffer.from('\n\r\n$1\r\nx\r\n*1\r\n');

/** Feed a decoder with these chunks, as a socket would, until they end or are in error. */
export function decodeChunks(chunks: readonly Buffer[], options: DecodingOptions = {}): Decoded[] {
  const decoder = new RequestDecoder({ ...DEFAULT_REQUEST_LIMITS, ...options.limits });
  decoder.authenticated = options.authenticated ?? true;
  const feeding = new Feeding(decoder, Buffer.concat(chunks));
  for (const chunk of chunks) if (!feeding.arrive(chunk.length)) break;
  return feeding.decoded;
}

/** Every way a test cuts one input: at once, and byte by byte. */
export function waysToCut(bytes: Buffer): [string, Buffer[]][] {
  return [
    ['in a single chunk', [bytes]],
    ['byte by byte', Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))],
  ];
}

export function argsOf(request: Request): string[] {
  return Array.from({ length: request.argc }, (_, index) => request.argLatin1(index));
}

class Feeding {
  readonly decoded: Decoded[] = [];
  readonly #decoder: RequestDecoder;
  readonly #all: Buffer;
  #consumed = 0;
  #arrived = 0;
  #skimming: { big: string[]; bytes: string } | undefined;
  #calls = 0;

  constructor(decoder: RequestDecoder, all: Buffer) {
    this.#decoder = decoder;
    this.#all = all;
  }

  /** False after a protocol error. */
  arrive(count: number): boolean {
    this.#arrived += count;
    for (;;) {
      if (this.#skimming !== undefined && !this.#skim()) return !this.#failed();
      const result = this.#next();
      if (result === MORE) return true;
      if (result === ERROR) return false;
    }
  }

  #next(): number {
    const { buffer, start, end } = this.#present();
    const result = this.#decoder.next(buffer, start, end);
    if (result === REQUEST) this.decoded.push(argsOf(this.#decoder.request));
    if (result === EMPTY) this.decoded.push('empty');
    if (result === ERROR) this.decoded.push({ error: this.#decoder.error });
    if (result === REQUEST || result === EMPTY) this.#consume(this.#decoder.consumedTo - start);
    if (result === BIG) this.#skimming = { big: argsOf(this.#decoder.request), bytes: '' };
    return result;
  }

  /** True when the end of the big request was found. */
  #skim(): boolean {
    const { buffer, start, end } = this.#present();
    const taken = this.#decoder.skim(buffer, start, end);
    const skimming = this.#skimming as { big: string[]; bytes: string };
    if (taken < 0) {
      this.decoded.push({ error: this.#decoder.error });
      return false;
    }
    skimming.bytes += buffer.toString('latin1', start, start + taken);
    this.#consume(taken);
    if (!this.#decoder.bigDone) return false;
    this.decoded.push(skimming);
    this.#skimming = undefined;
    return true;
  }

  #consume(count: number): void {
    this.#consumed += count;
    if (this.#consumed > this.#arrived) throw new Error('the decoder consumed what has not arrived');
  }

  #failed(): boolean {
    const last = this.decoded.at(-1);
    return typeof last === 'object' && 'error' in last;
  }

  /** The bytes not consumed, each time at another place of another buffer while that is cheap. */
  #present(): { buffer: Buffer; start: number; end: number } {
    const held = this.#arrived - this.#consumed;
    if (this.#all.length > MOVED_BYTES_MAX) {
      return { buffer: this.#all, start: this.#consumed, end: this.#arrived };
    }
    this.#calls += 1;
    const start = this.#calls % 7;
    const bytes = this.#all.subarray(this.#consumed, this.#arrived);
    return { buffer: Buffer.concat([JUNK.subarray(0, start), bytes, JUNK]), start, end: start + held };
  }
}
