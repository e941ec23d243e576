import type { RequestLimits } from './limits.ts';
import { BigRequest } from './big-request.ts';
import { ASTERISK, CR, DOLLAR, LF, ZERO } from './bytes.ts';
import { encodeRequest } from './encoder.ts';
import { splitInline } from './inline.ts';
import { UNAUTHENTICATED_ARGS_MAX, UNAUTHENTICATED_BULK_BYTES } from './limits.ts';
import { countError, lengthError, parseInteger } from './request-line.ts';
import { Request } from './request.ts';

/** `request` holds a whole request. */
export const REQUEST = 0;
/** The request goes on beyond the bytes that are here. */
export const MORE = 1;
/** The request is too large to be collected: pass on what `skim` says belongs to it. */
export const BIG = 2;
/** Consumed, and there is nothing to answer: an empty line, `*0`, `*-1`. */
export const EMPTY = 3;
/** `error` says what is wrong; Redis answers it and closes. */
export const ERROR = 4;
export type DecodeResult = typeof REQUEST | typeof MORE | typeof BIG | typeof EMPTY | typeof ERROR;

const LINE_INCOMPLETE = -1;
const LINE_TOO_LONG = -2;
const LINE_WRONG = -3;

/** `$`, up to five digits, CR, LF: lengths that no limit can touch but the tightest ones. */
const PLAIN_LINE_BYTES = 8;

/** Bounds grown by one large request are given back before the next one. */
const BOUNDS_KEPT = 2048;
const BOUNDS_START = 32;

/** Decodes the requests of one connection, exactly as leniently and as strictly as Redis 7.0.15.
 *
 *  Invariants: all state is relative to the request's first byte, so the caller may move the bytes between calls; no byte
 *  is looked at twice; nothing is allocated from an announced length; the result does not depend on how the bytes were
 *  cut (Redis's own limit on a line does: it counts what one read happened to bring. Ours counts the line).
 *  Source: Redis 7.0.15, networking.c, processInlineBuffer and processMultibulkBuffer. */
export class RequestDecoder {
  /** Filled on REQUEST and on BIG (then with the arguments that are complete); the next call overwrites it. */
  readonly request: Request = new Request();
  /** False puts Redis's limits for strangers in force. */
  authenticated = true;
  /** After REQUEST and EMPTY: one past the request in the caller's buffer. */
  consumedTo = 0;
  readonly #limits: RequestLimits;
  readonly #big: BigRequest;
  /** A count and a length up to these are within every limit. */
  readonly #easyArgs: number;
  readonly #easyBytes: number;
  #error = '';
  /** Arguments announced; 0 while the count line is not decoded. */
  #total = 0;
  #argc = 0;
  /** Where the next line or payload begins. */
  #at = 0;
  /** Where the search for the end of a line goes on. */
  #scanned = 0;
  /** Length of the payload at `#at`; -1 when its length line comes first. */
  #bulk = -1;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    this.#big = new BigRequest(limits);
    this.#easyArgs = Math.min(limits.argsMax, UNAUTHENTICATED_ARGS_MAX - 1);
    this.#easyBytes = Math.min(limits.bulkBytes, UNAUTHENTICATED_BULK_BYTES);
  }

  /** After ERROR, and after `skim` gave -1: Redis's text behind `Protocol error: `. */
  get error(): string {
    return this.#error;
  }

  /** True when `skim` has found the end of the request. */
  get bigDone(): boolean {
    return this.#big.done;
  }

  reset(): void {
    this.#total = 0;
    this.#argc = 0;
    this.#at = 0;
    this.#scanned = 0;
    this.#bulk = -1;
  }

  /** Decode the request that begins at `start`. After MORE, call again with the same bytes and more.
   *  Cost: O(bytes not looked at before). */
  next(buffer: Buffer, start: number, end: number): DecodeResult {
    if (this.#total === 0) {
      if (start >= end) return MORE;
      if (buffer[start] !== ASTERISK) return this.#inline(buffer, start, end);
      // One digit is nearly every request; everything else goes the careful way.
      const digit = (buffer[start + 1] as number) - ZERO;
      if (start + 3 < end && digit > 0 && digit <= this.#easyArgs && buffer[start + 2] === CR) {
        this.#total = digit;
        this.#at = 4;
      } else {
        const result = this.#count(buffer, start, end);
        if (result !== REQUEST) return result;
      }
      if (this.request.bounds.length > BOUNDS_KEPT) this.request.bounds = new Int32Array(BOUNDS_START);
    }
    return this.#arguments(buffer, start, end);
  }

  /** After BIG: how many bytes of `buffer[start, end)` belong to the request, first for the very bytes that `next` was
   *  given, then for each chunk that follows, until `bigDone`. -1 on a protocol error. Cost: O(arguments), no storage. */
  skim(buffer: Buffer, start: number, end: number): number {
    const taken = this.#big.skim(buffer, start, end);
    if (taken < 0) this.#error = this.#big.error;
    return taken;
  }

  #arguments(buffer: Buffer, start: number, end: number): DecodeResult {
    const total = this.#total;
    let argc = this.#argc;
    let at = start + this.#at;
    let length = this.#bulk;
    let bounds = this.request.bounds;
    while (argc < total) {
      if (length < 0) {
        const cr = plainLengthEnd(buffer, at, end);
        length = cr < 0 ? -1 : plainLength(buffer, at, cr);
        if (length < 0 || length > this.#easyBytes) {
          this.#argc = argc;
          this.#at = at - start;
          this.#bulk = -1;
          length = this.#length(buffer, at, start, end);
          if (length < 0) return length === LINE_INCOMPLETE ? this.#more(buffer, start, end) : ERROR;
          at = start + this.#at;
        } else {
          at = cr + 2;
        }
      }
      const after = at + length + 2;
      if (after > end) {
        this.#argc = argc;
        this.#at = at - start;
        this.#bulk = length;
        return this.#more(buffer, start, end);
      }
      if (argc * 2 === bounds.length) bounds = this.#growBounds();
      bounds[argc * 2] = at - start;
      bounds[argc * 2 + 1] = at - start + length;
      argc += 1;
      at = after;
      length = -1;
    }
    this.#finish(buffer, start, at, argc);
    this.consumedTo = at;
    return REQUEST;
  }

  #finish(buffer: Buffer, start: number, end: number, argc: number): void {
    const request = this.request;
    request.buffer = buffer;
    request.start = start;
    request.end = end;
    request.argc = argc;
    this.reset();
  }

  #growBounds(): Int32Array {
    const grown = new Int32Array(Math.max(BOUNDS_START, this.request.bounds.length * 2));
    grown.set(this.request.bounds);
    this.request.bounds = grown;
    return grown;
  }

  /** All that is here has been looked at: wait for the rest, unless there would be too much to keep.
   *  A command name is always waited for, except one that is itself announced as big: no command has such a name. */
  #more(buffer: Buffer, start: number, end: number): DecodeResult {
    const bigBytes = this.#limits.bigBytes;
    const argc = this.#argc;
    if (this.#bulk <= bigBytes && (argc === 0 || end - start <= bigBytes)) return MORE;
    const request = this.request;
    request.buffer = buffer;
    request.start = start;
    request.end = argc === 0 ? start : start + (request.bounds[argc * 2 - 1] as number) + 2;
    request.argc = argc;
    this.#big.begin(this.#at, this.#total - argc, this.#bulk, this.authenticated);
    this.reset();
    return BIG;
  }

  /** The count line, read carefully. REQUEST means that arguments follow. */
  #count(buffer: Buffer, start: number, end: number): DecodeResult {
    const cr = this.#lineEnd(buffer, start, start, end, CR);
    if (cr === LINE_TOO_LONG) return this.#fail('too big mbulk count string');
    if (cr < 0 || cr + 1 >= end) return MORE;
    const count = parseInteger(buffer, start + 1, cr);
    const error = countError(count, this.#limits, this.authenticated);
    if (error !== undefined) return this.#fail(error);
    this.#at = cr + 2 - start;
    if (count > 0) {
      this.#total = count;
      return REQUEST;
    }
    this.consumedTo = cr + 2;
    this.reset();
    return EMPTY;
  }

  /** A length line, read carefully: the length (and `#at` behind the line), or a code below zero. */
  #length(buffer: Buffer, line: number, start: number, end: number): number {
    const cr = this.#lineEnd(buffer, line, start, end, CR);
    if (cr === LINE_TOO_LONG) {
      this.#fail('too big bulk count string');
      return LINE_WRONG;
    }
    // The byte behind the CR has to be there, but Redis never looks at it.
    if (cr < 0 || cr + 1 >= end) return LINE_INCOMPLETE;
    const length = parseInteger(buffer, line + 1, cr);
    const error = lengthError(buffer[line] as number, length, this.#limits, this.authenticated);
    if (error !== undefined) {
      this.#fail(error);
      return LINE_WRONG;
    }
    this.#at = cr + 2 - start;
    return length;
  }

  #inline(buffer: Buffer, start: number, end: number): DecodeResult {
    const lf = this.#lineEnd(buffer, start, start, end, LF);
    if (lf === LINE_TOO_LONG) return this.#fail('too big inline request');
    if (lf < 0) return MORE;
    const lineEnd = lf > start && buffer[lf - 1] === CR ? lf - 1 : lf;
    const args = splitInline(buffer.subarray(start, lineEnd));
    if (args === undefined) return this.#fail('unbalanced quotes in request');
    this.consumedTo = lf + 1;
    this.reset();
    if (args.length === 0) return EMPTY;
    this.#takeInline(args);
    return REQUEST;
  }

  #takeInline(args: readonly Buffer[]): void {
    const encoded = encodeRequest(args);
    let at = `*${args.length}\r\n`.length;
    for (const [index, arg] of args.entries()) {
      if (index * 2 === this.request.bounds.length) this.#growBounds();
      at += `$${arg.length}\r\n`.length;
      this.request.bounds[index * 2] = at;
      this.request.bounds[index * 2 + 1] = at + arg.length;
      at += arg.length + 2;
    }
    this.#finish(encoded, 0, encoded.length, args.length);
  }

  /** Where the line from `line` on has its `stop` byte, searched from where the last search ended.
   *  Redis searches with strchr, so behind a NUL it finds none. */
  #lineEnd(buffer: Buffer, line: number, start: number, end: number, stop: number): number {
    const limit = line + this.#limits.inlineBytes;
    const last = Math.min(end, limit + 1);
    let at = Math.max(line, start + this.#scanned);
    while (at < last && buffer[at] !== stop && buffer[at] !== 0) at += 1;
    this.#scanned = at - start;
    if (at < last && buffer[at] === stop) return at;
    return end > limit ? LINE_TOO_LONG : LINE_INCOMPLETE;
  }

  #fail(text: string): DecodeResult {
    this.#error = text;
    return ERROR;
  }
}

/** Where the digits of a length line end, when it is of the plainest form and wholly here; else -1. */
function plainLengthEnd(buffer: Buffer, at: number, end: number): number {
  if (buffer[at] !== DOLLAR) return -1;
  const last = Math.min(end, at + PLAIN_LINE_BYTES) - 1;
  let cr = at + 2;
  while (cr < last && buffer[cr] !== CR) cr += 1;
  return cr < last ? cr : -1;
}

/** The number between `$` and CR; -1 when it is not one that needs no second look. */
function plainLength(buffer: Buffer, at: number, cr: number): number {
  let length = (buffer[at + 1] as number) - ZERO;
  if (length === 0 && cr > at + 2) return -1;
  if (length < 0 || length > 9) return -1;
  for (let digitAt = at + 2; digitAt < cr; digitAt += 1) {
    const digit = (buffer[digitAt] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
