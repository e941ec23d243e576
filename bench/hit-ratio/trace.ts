import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Read requests in their order.
 *  Shape: `requests` are keys 0 … `keys` - 1, numbered by first appearance; `sizes` has the bytes (key + value) of each.
 *  Cost: 4 bytes a request, 4 a key. */
export interface Trace {
  readonly name: string;
  readonly requests: Uint32Array;
  readonly keys: number;
  readonly sizes: Uint32Array | undefined;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const HASH = 35;
const ZERO = 48;

/** Reads a trace file, gzip or plain (bench/README.md describes the format).
 *  Errors: names the file and the line that is not of the format. */
export function readTrace(file: string): Trace {
  const bytes = readFileSync(file);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const name = basename(file).replace(/(\.txt)?(\.gz)?$/, '');
  try {
    return parseTrace(name, isGzip ? gunzipSync(bytes) : bytes);
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads the text of a trace. */
export function parseTrace(name: string, text: Uint8Array): Trace {
  return new Parser(text).parse(name);
}

class Parser {
  readonly #text: Uint8Array;
  readonly #sizes: number[] = [];
  #at = 0;
  #line = 0;
  #keys = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  parse(name: string): Trace {
    const requests = new Uint32Array(this.#countLines());
    let count = 0;
    while (this.#at < this.#text.length) {
      this.#line++;
      if (this.#text[this.#at] === HASH) this.#skipLine();
      else requests[count++] = this.#request();
    }
    const keys = this.#keys;
    const sizes = this.#sizes.length === 0 ? undefined : Uint32Array.from({ length: keys }, this.#sizeOf);
    return { name, requests: requests.slice(0, count), keys, sizes };
  }

  /** A key without a size counts as 1 even where others have one. */
  readonly #sizeOf = (_: unknown, key: number): number => this.#sizes[key] ?? 1;

  #countLines(): number {
    let lines = this.#text.at(-1) === LINE_FEED ? 0 : 1;
    for (const byte of this.#text) if (byte === LINE_FEED) lines++;
    return lines;
  }

  #skipLine(): void {
    const end = this.#text.indexOf(LINE_FEED, this.#at);
    this.#at = end < 0 ? this.#text.length : end + 1;
  }

  #request(): number {
    const key = this.#number() ?? this.#keys;
    if (key > this.#keys) this.#fail(`key ${key} comes before ${this.#keys}`);
    if (key === this.#keys) this.#keys++;
    if (this.#skip(SPACE)) {
      this.#sizes[key] ??= this.#number() ?? this.#fail('a size is missing');
      // There is no time in a trace, so nothing can expire.
      if (this.#skip(SPACE)) this.#number();
    }
    this.#skip(CARRIAGE_RETURN);
    if (this.#at < this.#text.length && !this.#skip(LINE_FEED)) this.#fail('wants KEY[ SIZE[ TTL]]');
    return key;
  }

  #number(): number | undefined {
    const start = this.#at;
    let value = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const digit = (this.#text[this.#at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (value > 0xffff_fffe) this.#fail('a number is too large');
    return this.#at === start ? undefined : value;
  }

  #skip(byte: number): boolean {
    if (this.#text[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #fail(why: string): never {
    throw new Error(`line ${this.#line}: ${why}`);
  }
}
