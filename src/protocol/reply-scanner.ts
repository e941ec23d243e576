import {
  ASTERISK,
  BANG,
  BAR,
  COLON,
  COMMA,
  CR,
  DOLLAR,
  EQUALS,
  GREATER,
  HASH,
  LF,
  MINUS,
  PAREN,
  PERCENT,
  PLUS,
  TILDE,
  UNDERSCORE,
  ZERO,
} from './bytes.ts';
import { REPLY_DEPTH_MAX } from './limits.ts';

/** The frame goes on beyond the bytes that are here. */
export const UNFINISHED = -1;
/** The stream is not RESP; `error` says why. */
export const NOT_RESP = -2;

/* How each first byte goes on. */
const TEXT = 1;
const BULK = 2;
const ITEMS = 3;
const PAIRS = 4;

/* What the next byte is part of. */
const AT_VALUE = 0;
const IN_TEXT = 1;
const IN_LENGTH = 2;
const IN_BODY = 3;

/** Lines up to this long are looked at before anything is remembered: nearly all replies end here. */
const FAST_LINE_BYTES = 64;
/** A length of more digits could not be counted exactly. */
const LENGTH_DIGITS_MAX = 15;

const FORM_OF: Uint8Array = formTable();
const IS_RESP3: Uint8Array = new Uint8Array(256);
for (const type of [UNDERSCORE, PERCENT, TILDE, COMMA, HASH, PAREN, EQUALS, BAR, BANG]) IS_RESP3[type] = 1;

/** Finds where each reply of a connection ends, without decoding it.
 *
 *  Bodies of bulks are jumped over; of everything else only lengths are remembered. Memory is one counter a nesting
 *  level, whatever is announced, and no byte is looked at twice (but for the first line of a frame that is cut, at most
 *  64 bytes). Streamed types (`$?`, `*?`, `;`, `.`) are refused: Redis never sends them.
 *  Invariant: `#left[0]` counts the frame's own value; an attribute lets its parent expect one value more.
 *  Source: Redis's RESP3 specification. */
export class ReplyScanner {
  /** First byte of the reply's own value; 0 until it was seen (an attribute comes before it). */
  type = 0;
  /** The frame holds a type that RESP2 has not, so a RESP2 client may need other bytes. */
  hasResp3 = false;
  error = '';
  #isOpen = false;
  #state = AT_VALUE;
  /** Values still to come, by nesting level. */
  readonly #left: number[] = [0];
  #depth = 0;
  /** First byte of the value whose line is being read. */
  #lineType = 0;
  #sawCr = false;
  #length = 0;
  #digits = 0;
  #isNegative = false;
  /** Bytes of a bulk's body still to come, with its CR LF. */
  #body = 0;

  reset(): void {
    this.#isOpen = false;
    this.#state = AT_VALUE;
    this.#depth = 0;
  }

  /** Scan from `pos`: one past the frame's last byte; UNFINISHED when all bytes up to `end` belong to it; or NOT_RESP.
   *  Cost: O(values), for a bulk its body is free. */
  next(chunk: Buffer, pos: number, end: number): number {
    if (!this.#isOpen) {
      if (pos >= end) return UNFINISHED;
      const type = chunk[pos] as number;
      this.type = type;
      this.hasResp3 = IS_RESP3[type] === 1;
      const done = wholeValue(chunk, type, pos, end);
      if (done > 0) return done;
      this.#open();
    }
    return this.#walk(chunk, pos, end);
  }

  #open(): void {
    this.type = 0;
    this.hasResp3 = false;
    this.#isOpen = true;
    this.#state = AT_VALUE;
    this.#depth = 0;
    this.#left[0] = 1;
  }

  #walk(chunk: Buffer, pos: number, end: number): number {
    let at = pos;
    while (at < end) {
      switch (this.#state) {
        case IN_TEXT:
          at = this.#text(chunk, at, end);
          break;
        case IN_LENGTH:
          at = this.#lengthLine(chunk, at, end);
          break;
        case IN_BODY:
          at = this.#bodyOf(chunk, at, end);
          break;
        default:
          at = this.#value(chunk, at, end);
      }
      if (at < 0) return at;
      if (!this.#isOpen) return at;
    }
    return UNFINISHED;
  }

  #value(chunk: Buffer, at: number, end: number): number {
    const type = chunk[at] as number;
    if (this.#depth === 0 && type !== BAR) this.type = type;
    if (IS_RESP3[type] === 1 || (type === GREATER && this.#depth > 0)) this.hasResp3 = true;
    const done = wholeValue(chunk, type, at, end);
    if (done > 0) {
      this.#valueDone();
      return done;
    }
    const form = FORM_OF[type];
    if (form === 0)
      return this.#fail(`unexpected byte 0x${type.toString(16).padStart(2, '0')} instead of a type`);
    this.#lineType = type;
    this.#sawCr = false;
    this.#length = 0;
    this.#digits = 0;
    this.#isNegative = false;
    this.#state = form === TEXT ? IN_TEXT : IN_LENGTH;
    return at + 1;
  }

  #text(chunk: Buffer, from: number, end: number): number {
    let at = from;
    if (!this.#sawCr) {
      while (at < end && chunk[at] !== CR) at += 1;
      if (at === end) return end;
      this.#sawCr = true;
      at += 1;
      if (at === end) return end;
    }
    if (chunk[at] !== LF) return this.#fail('a line does not end in CR LF');
    this.#state = AT_VALUE;
    this.#valueDone();
    return at + 1;
  }

  #lengthLine(chunk: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at += 1) {
      const byte = chunk[at] as number;
      if (this.#sawCr)
        return byte === LF ? this.#lengthDone(at + 1) : this.#fail('a line does not end in CR LF');
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9 && this.#digits < LENGTH_DIGITS_MAX) {
        this.#length = this.#length * 10 + digit;
        this.#digits += 1;
      } else if (byte === CR && this.#digits > 0) {
        this.#sawCr = true;
      } else if (byte === MINUS && this.#digits === 0 && !this.#isNegative) {
        this.#isNegative = true;
      } else {
        return this.#fail('a length is not a number');
      }
    }
    return end;
  }

  /** The line that ended at `at` gave a length: begin what it announces. */
  #lengthDone(at: number): number {
    const form = FORM_OF[this.#lineType];
    this.#state = AT_VALUE;
    if (this.#isNegative) {
      const isNil = this.#length === 1 && (this.#lineType === DOLLAR || this.#lineType === ASTERISK);
      if (!isNil) return this.#fail('a length is negative');
      this.#valueDone();
      return at;
    }
    if (form === BULK) {
      this.#body = this.#length + 2;
      this.#state = IN_BODY;
      return at;
    }
    return this.#enter(at, form === PAIRS ? this.#length * 2 : this.#length);
  }

  #enter(at: number, values: number): number {
    if (this.#lineType === BAR) {
      // What it describes is still to come.
      this.#left[this.#depth] = (this.#left[this.#depth] as number) + 1;
    }
    if (values === 0) {
      this.#valueDone();
      return at;
    }
    if (this.#depth === REPLY_DEPTH_MAX) return this.#fail('a reply is nested too deep');
    this.#depth += 1;
    this.#left[this.#depth] = values;
    return at;
  }

  #bodyOf(chunk: Buffer, from: number, end: number): number {
    let at = from;
    if (this.#body > 2) {
      const step = Math.min(this.#body - 2, end - at);
      this.#body -= step;
      at += step;
    }
    while (at < end && this.#body > 0) {
      if (chunk[at] !== (this.#body === 2 ? CR : LF)) return this.#fail('a bulk does not end in CR LF');
      this.#body -= 1;
      at += 1;
    }
    if (this.#body === 0) {
      this.#state = AT_VALUE;
      this.#valueDone();
    }
    return at;
  }

  #valueDone(): void {
    let depth = this.#depth;
    let left = (this.#left[depth] as number) - 1;
    while (left === 0 && depth > 0) {
      depth -= 1;
      left = (this.#left[depth] as number) - 1;
    }
    this.#left[depth] = left;
    this.#depth = depth;
    this.#isOpen = left > 0;
  }

  #fail(text: string): number {
    this.error = text;
    return NOT_RESP;
  }
}

/** The end of a one-line value or a bulk that is wholly here and as it should be; else 0, and the careful way decides. */
function wholeValue(chunk: Buffer, type: number, pos: number, end: number): number {
  if (type === DOLLAR) {
    let length = 0;
    const last = Math.min(end, pos + LENGTH_DIGITS_MAX) - 1;
    let at = pos + 1;
    for (; at < last; at += 1) {
      const digit = (chunk[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
    }
    if (at === pos + 1 || at >= last || chunk[at] !== CR || chunk[at + 1] !== LF) return 0;
    const bodyEnd = at + 2 + length;
    return bodyEnd + 2 <= end && chunk[bodyEnd] === CR && chunk[bodyEnd + 1] === LF ? bodyEnd + 2 : 0;
  }
  if (FORM_OF[type] !== TEXT) return 0;
  const last = Math.min(end, pos + FAST_LINE_BYTES) - 1;
  let at = pos + 1;
  while (at < last && chunk[at] !== CR) at += 1;
  return at < last && chunk[at + 1] === LF ? at + 2 : 0;
}

function formTable(): Uint8Array {
  const forms = new Uint8Array(256);
  for (const type of [PLUS, MINUS, COLON, UNDERSCORE, HASH, COMMA, PAREN]) forms[type] = TEXT;
  for (const type of [DOLLAR, EQUALS, BANG]) forms[type] = BULK;
  for (const type of [ASTERISK, TILDE, GREATER]) forms[type] = ITEMS;
  for (const type of [PERCENT, BAR]) forms[type] = PAIRS;
  return forms;
}
