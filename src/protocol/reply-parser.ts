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
  LETTER_T,
  MINUS,
  PAREN,
  PERCENT,
  PLUS,
  TILDE,
  UNDERSCORE,
} from './bytes.ts';
import { latin1 } from '../base/latin1.ts';

/** An error that Redis sent; `text` without the leading `-`. */
export interface ErrorValue {
  readonly error: string;
}
/** A reply as a JavaScript value. Shape: strings are latin1, one char a byte; nil is undefined, in both protocols;
 *  sets and pushes are arrays; integers beyond 2^53 lose their last digits. */
export type Reply = string | number | boolean | undefined | ErrorValue | Reply[] | Map<Reply, Reply>;
/** The control plane's own questions have shallow answers. */
const DEPTH_MAX = 32;

/** Turn one whole frame into a value, for the control plane only: the data path never decodes replies.
 *  Shape: `frame[start, end)` is exactly what ReplyScanner found; attributes are left out.
 *  Errors: throws a RangeError when the frame is cut or nested deeper than 32. Cost: O(bytes). */
export function parseReply(frame: Buffer, start: number, end: number): Reply {
  return new ReplyReader(frame, start, end).read(0);
}

class ReplyReader {
  readonly #frame: Buffer;
  #at: number;
  readonly #end: number;

  constructor(frame: Buffer, start: number, end: number) {
    this.#frame = frame;
    this.#at = start;
    this.#end = end;
  }

  read(depth: number): Reply {
    if (depth > DEPTH_MAX) throw new RangeError('reply nested too deep');
    const type = this.#frame[this.#at];
    const line = this.#line();
    switch (type) {
      case PLUS:
      case PAREN:
        return line;
      case MINUS:
        return { error: line };
      case COLON:
      case COMMA:
        return numberOf(line);
      case HASH:
        return line.charCodeAt(0) === LETTER_T;
      case UNDERSCORE:
        return undefined;
      case DOLLAR:
        return line === '-1' ? undefined : this.#body(count(line));
      case EQUALS:
        return this.#body(count(line)).slice(4);
      case BANG:
        return { error: this.#body(count(line)) };
      case ASTERISK:
      case TILDE:
      case GREATER:
        return line === '-1' ? undefined : this.#items(count(line), depth);
      case PERCENT:
        return this.#map(count(line), depth);
      case BAR:
        this.#map(count(line), depth);
        return this.read(depth + 1);
      default:
        throw new RangeError('not a RESP frame');
    }
  }

  #line(): string {
    const from = this.#at + 1;
    const cr = this.#frame.indexOf(CR, from);
    if (cr < 0 || cr + 2 > this.#end) throw new RangeError('reply is cut');
    this.#at = cr + 2;
    return latin1(this.#frame, from, cr);
  }

  #body(length: number): string {
    const from = this.#at;
    if (from + length + 2 > this.#end) throw new RangeError('reply is cut');
    this.#at = from + length + 2;
    return latin1(this.#frame, from, from + length);
  }

  #items(count: number, depth: number): Reply[] {
    const items: Reply[] = [];
    for (let index = 0; index < count; index += 1) items.push(this.read(depth + 1));
    return items;
  }

  #map(count: number, depth: number): Map<Reply, Reply> {
    const map = new Map<Reply, Reply>();
    for (let index = 0; index < count; index += 1) {
      const key = this.read(depth + 1);
      map.set(key, this.read(depth + 1));
    }
    return map;
  }
}

function numberOf(text: string): number {
  if (text === 'inf') return Infinity;
  return text === '-inf' ? -Infinity : Number(text);
}

function count(text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new RangeError('not a RESP frame');
  return value;
}
