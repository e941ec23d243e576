import type { Resp2Shape } from './resp2-shapes.ts';
import { latin1 } from '../base/latin1.ts';
import {
  ASTERISK,
  BANG,
  BAR,
  COMMA,
  DOLLAR,
  EQUALS,
  GREATER,
  HASH,
  LETTER_T,
  PAREN,
  PERCENT,
  TILDE,
  UNDERSCORE,
} from './bytes.ts';
import { FrameRewriter } from './frame-rewriter.ts';

/** A RESP3 reply as the RESP2 bytes that Redis would have sent.
 *
 *  Two layers. The structural rule looks at one header at a time and needs only a counter of values to come, so nesting
 *  costs nothing and no input makes it recurse. The rows of the measured table sit on top: they handle the one or two
 *  levels where a command differs and leave the rest to the rule. Doubles and big numbers keep their text.
 *  Cost: O(bytes). Source: measured on Redis 7.0.15, 711 calls of 230 commands. */

/** What has to be known of a command besides its reply; none of it can be recovered from the bytes. */
export interface Resp2Row {
  readonly shape: Resp2Shape;
  /** Number of arguments, the command's name among them. */
  readonly argc: number;
}
export interface Resp2How extends Resp2Row {
  readonly inExec: boolean;
  /** For EXEC: the queued commands, in order. */
  readonly queued?: readonly Resp2Row[] | undefined;
}

const NIL = '$-1\r\n';
const NIL_ARRAY = '*-1\r\n';
const PLAIN: Resp2Row = { shape: 'plain', argc: 0 };
/** `txt:` */
const VERBATIM_FORMAT_BYTES = 4;

/** Convert one whole frame. Shape: the result owns its bytes. Errors: a RangeError for a cut frame; none for
 *  one that ReplyScanner accepted. */
export function toResp2(frame: Buffer, start: number, end: number, how: Resp2How): Buffer {
  const rewriter = new FrameRewriter(frame, start, end);
  convert(rewriter, how);
  return rewriter.take();
}

function convert(at: FrameRewriter, how: Resp2How): void {
  dropAttributes(at);
  const type = at.type();
  if (type === UNDERSCORE) nil(at, isNilArray(how));
  else if (how.shape === 'streams' && type === PERCENT) streams(at);
  else if (type !== ASTERISK) plain(at, 1);
  else if (how.shape === 'exec') exec(at, how);
  else if (how.shape === 'flatten') flatten(at);
  else if (how.shape === 'nil-array-elements') elements(at, () => true);
  else if (how.shape === 'pending-summary' && how.argc === 3) elements(at, (index) => index === 3);
  else plain(at, 1);
}

/** Whether `_` as the whole reply is a nil array. */
function isNilArray(how: Resp2How): boolean {
  switch (how.shape) {
    case 'nil-array':
    case 'streams':
    case 'exec':
      return true;
    case 'nil-array-with-count':
      return how.argc === 3;
    case 'nil-array-when-waited':
      return !how.inExec;
    default:
      return false;
  }
}

function exec(at: FrameRewriter, how: Resp2How): void {
  const count = at.header();
  for (let index = 0; index < count; index += 1) {
    const { shape, argc } = how.queued?.[index] ?? PLAIN;
    // An EXEC cannot be queued, so this goes one level deep and no further.
    convert(at, { shape: shape === 'exec' ? 'plain' : shape, argc, inExec: true });
  }
}

function flatten(at: FrameRewriter): void {
  const total = splicedCount(at);
  if (total < 0) {
    plain(at, 1);
    return;
  }
  at.flush();
  const count = at.header();
  at.replace(`*${total}\r\n`);
  for (let index = 0; index < count; index += 1) {
    dropAttributes(at);
    at.flush();
    const values = at.header();
    at.replace('');
    plain(at, values);
  }
}

/** How many values the array at hand has once its elements are spliced; -1 when one of them is not an array. */
function splicedCount(at: FrameRewriter): number {
  const from = at.at;
  let count = at.header();
  let total = Math.min(count, 0);
  for (; count > 0 && total >= 0; count -= 1) {
    while (at.type() === BAR) at.skip(at.header() * 2);
    const values = at.type() === ASTERISK ? at.header() : -1;
    total = values < 0 ? -1 : total + values;
    at.skip(values);
  }
  at.at = from;
  return total;
}

/** A map of key and entries becomes an array of pairs. */
function streams(at: FrameRewriter): void {
  at.flush();
  const count = at.header();
  at.replace(`*${count}\r\n`);
  for (let index = 0; index < count; index += 1) {
    dropAttributes(at);
    at.flush();
    at.replace('*2\r\n');
    plain(at, 1);
    entries(at);
  }
}

function entries(at: FrameRewriter): void {
  dropAttributes(at);
  if (at.type() !== ASTERISK) {
    plain(at, 1);
    return;
  }
  for (let count = at.header(); count > 0; count -= 1) {
    dropAttributes(at);
    if (at.type() === ASTERISK) elements(at, (index) => index === 1);
    else plain(at, 1);
  }
}

/** An array in which a nil at some places is a nil array. */
function elements(at: FrameRewriter, isArrayPlace: (index: number) => boolean): void {
  const count = at.header();
  for (let index = 0; index < count; index += 1) {
    dropAttributes(at);
    if (at.type() === UNDERSCORE) nil(at, isArrayPlace(index));
    else plain(at, 1);
  }
}

/** The structural rule, for this many values and all that is in them. */
function plain(at: FrameRewriter, values: number): void {
  let left = values;
  while (left > 0) {
    dropAttributes(at);
    left -= 1;
    const type = at.type();
    if (type === DOLLAR) at.bulk();
    else if (type === ASTERISK) left += Math.max(0, at.header());
    else if (type === PERCENT || type === TILDE || type === GREATER) left += aggregate(at, type);
    else scalar(at, type);
  }
}

function aggregate(at: FrameRewriter, type: number): number {
  at.flush();
  const count = at.header();
  const values = type === PERCENT ? count * 2 : count;
  at.replace(`*${values}\r\n`);
  return values;
}

function scalar(at: FrameRewriter, type: number): void {
  switch (type) {
    case UNDERSCORE:
      nil(at, false);
      break;
    case COMMA:
    case PAREN:
      textAsBulk(at);
      break;
    case HASH:
      boolean(at);
      break;
    case EQUALS:
      verbatim(at);
      break;
    case BANG:
      blobError(at);
      break;
    default:
      at.line();
  }
}

function nil(at: FrameRewriter, isArray: boolean): void {
  at.flush();
  at.line();
  at.replace(isArray ? NIL_ARRAY : NIL);
}

function textAsBulk(at: FrameRewriter): void {
  at.flush();
  const text = at.at + 1;
  at.line();
  at.replace(`$${at.at - 2 - text}\r\n`);
  at.resumeAt(text);
}

function boolean(at: FrameRewriter): void {
  at.flush();
  const isTrue = at.frame[at.at + 1] === LETTER_T;
  at.line();
  at.replace(isTrue ? ':1\r\n' : ':0\r\n');
}

function verbatim(at: FrameRewriter): void {
  at.flush();
  const length = at.header();
  const format = Math.min(VERBATIM_FORMAT_BYTES, length);
  const body = at.at + format;
  at.body(length);
  at.replace(`$${length - format}\r\n`);
  at.resumeAt(body);
}

/** Never seen from Redis; its text may hold line ends, which a RESP2 error cannot. */
function blobError(at: FrameRewriter): void {
  at.flush();
  const length = at.header();
  const text = at.at;
  at.body(length);
  at.replace(`-${latin1(at.frame, text, text + length).replace(/[\r\n]/g, ' ')}\r\n`);
}

function dropAttributes(at: FrameRewriter): void {
  while (at.type() === BAR) {
    at.flush();
    at.skip(at.header() * 2);
    at.resumeAt(at.at);
  }
}
