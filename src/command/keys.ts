import type { Request } from '../protocol/request.ts';
import { packedLength, type CommandSpec, type KeyRule } from './spec.ts';

/** keys: the list is complete. unknown: the command may change other keys too (coherence spec R6); the list holds
 *  those it names. invalid: the arguments do not fit, Redis will answer an error; the list is empty. */
export type KeyResult = 'keys' | 'unknown' | 'invalid';

/** Argument indices of keys, in the order Redis names them, repeats included. Reused: one list a session. */
export class KeyList {
  indices: Int32Array = new Int32Array(16);
  count = 0;

  add(index: number): void {
    if (this.count === this.indices.length) {
      const grown = new Int32Array(this.count * 2);
      grown.set(this.indices);
      this.indices = grown;
    }
    this.indices[this.count++] = index;
  }
}

/** Finds the keys of a request.
 *
 *  Shape: `into` is overwritten. Arity is not checked (that is Redis's answer to give), so a call that Redis refuses
 *  may still come back as 'keys'.
 *  Cost: the one-key case is a store; else O(arguments), no allocation once `into` has grown. */
export function extractKeys(spec: CommandSpec, request: Request, into: KeyList): KeyResult {
  into.count = 0;
  if (spec.onlyKey !== 0 && spec.onlyKey < request.argc) {
    into.indices[0] = spec.onlyKey;
    into.count = 1;
    return spec.keyAccess === 'unknown' ? 'unknown' : 'keys';
  }
  const fits = rules[spec.keyRule](request, into, spec);
  if (!fits) into.count = 0;
  if (spec.keyAccess === 'unknown') return 'unknown';
  return fits ? 'keys' : 'invalid';
}

/** Adds the keys to `into`; false when the arguments do not fit. */
type Rule = (request: Request, into: KeyList, spec: CommandSpec) => boolean;

const rules: Readonly<Record<KeyRule, Rule>> = {
  '': bySpecs,
  first: byFirst,
  streams: byStreams,
  sort: bySort,
  georadius: byGeoradius,
  migrate: byMigrate,
};

function bySpecs(request: Request, into: KeyList, spec: CommandSpec): boolean {
  const { keySpecs, mayLackKeys } = spec;
  for (let at = 0; at < keySpecs.length; at += packedLength) {
    const begin = keySpecs[at] as number;
    const find = keySpecs[at + 2] as number;
    const fits =
      keySpecs[at + 1] === 1
        ? addCounted(request, into, begin + find, mayLackKeys)
        : addRange(
            request,
            into,
            begin,
            find < 0 ? request.argc + find : begin + find,
            keySpecs[at + 3] as number,
          );
    if (!fits) return false;
  }
  return into.count > 0 || mayLackKeys || keySpecs.length === 0;
}

/** Keys from `first` to `last`; an open end may leave none. */
function addRange(request: Request, into: KeyList, first: number, last: number, step: number): boolean {
  if (last >= request.argc) return false;
  for (let i = first; i <= last; i += step) into.add(i);
  return true;
}

/** Keys behind an argument that says how many there are. */
function addCounted(request: Request, into: KeyList, countIndex: number, mayBeNone: boolean): boolean {
  if (countIndex >= request.argc) return false;
  const count = parseCount(request, countIndex);
  if (count < 0 || (count === 0 && !mayBeNone)) return false;
  return addRange(request, into, countIndex + 1, countIndex + count, 1);
}

/** A number as Redis reads one: digits only, no leading zero, plus or space. Returns -1 for anything else, and for
 *  what is too large to be a count of arguments. */
function parseCount(request: Request, index: number): number {
  const { buffer } = request;
  const start = request.argStart(index);
  const end = request.argEnd(index);
  if (end === start || end - start > 9) return -1;
  if (buffer[start] === 0x30) return end - start === 1 ? 0 : -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (buffer[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function byFirst(request: Request, into: KeyList): boolean {
  if (request.argc < 2) return false;
  into.add(1);
  return true;
}

/** XREAD, XREADGROUP: after STREAMS the keys, then as many ids. */
function byStreams(request: Request, into: KeyList): boolean {
  const first = streamsOption(request, 'streams') + 1;
  const count = (request.argc - first) / 2;
  if (first === 0 || count < 1 || !Number.isInteger(count)) return false;
  for (let i = first; i < first + count; i++) into.add(i);
  return true;
}

/** Where STREAMS stands in XREAD or XREADGROUP, or the last BLOCK before it; -1 if nowhere. Walked from the left, since
 *  a group or a consumer may be called `streams` or `block`. Other words are passed over: numbers, and options that
 *  only a newer server knows; a BLOCK behind one of those must not be missed. */
function streamsOption(request: Request, option: 'streams' | 'block'): number {
  let found = -1;
  for (let i = 1; i < request.argc; i++) {
    if (isWord(request, i, option)) found = i;
    if (isWord(request, i, 'streams')) break;
    if (isWord(request, i, 'group')) i += 2;
  }
  return found;
}

/** SORT: the key, and the destination of the last STORE. */
function bySort(request: Request, into: KeyList): boolean {
  if (!byFirst(request, into)) return false;
  let store = 0;
  for (let i = 2; i < request.argc; i++) {
    if (isWord(request, i, 'by') || isWord(request, i, 'get')) i += 1;
    else if (isWord(request, i, 'store') && i + 1 < request.argc) store = ++i;
  }
  if (store !== 0) into.add(store);
  return true;
}

/** GEORADIUS, GEORADIUSBYMEMBER: the key, and the destination of the last STORE or STOREDIST. */
function byGeoradius(request: Request, into: KeyList, spec: CommandSpec): boolean {
  if (!byFirst(request, into)) return false;
  let store = 0;
  for (let i = spec.name === 'georadius' ? 6 : 5; i < request.argc; i++) {
    const isStore = isWord(request, i, 'store') || isWord(request, i, 'storedist');
    if (isStore && i + 1 < request.argc) store = ++i;
  }
  if (store !== 0) into.add(store);
  return true;
}

/** MIGRATE: one key as third argument, or that argument empty and the keys after KEYS. */
function byMigrate(request: Request, into: KeyList): boolean {
  if (request.argc < 4) return false;
  for (let i = 6; i < request.argc; i++) {
    if (isWord(request, i, 'auth')) i += 1;
    else if (isWord(request, i, 'auth2')) i += 2;
    else if (isWord(request, i, 'keys')) {
      if (request.argEnd(3) !== request.argStart(3)) return false;
      for (let key = i + 1; key < request.argc; key++) into.add(key);
      return into.count > 0;
    }
  }
  into.add(3);
  return true;
}

/** Whether argument `index` is this option word, in any case. Redis compares options as C strings, so what follows a
 *  zero byte does not count. Shape: `word` in lower case letters and digits. */
function isWord(request: Request, index: number, word: string): boolean {
  const { buffer } = request;
  const start = request.argStart(index);
  const length = request.argEnd(index) - start;
  if (length < word.length || (length > word.length && buffer[start + word.length] !== 0)) return false;
  for (let i = 0; i < word.length; i++) {
    const byte = buffer[start + i] as number;
    const folded = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    if (folded !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether a SORT or SORT_RO call reads keys that it does not name (BY and GET patterns): cache class D excludes it,
 *  and no ring can route it. */
export function readsUnnamedKeys(spec: CommandSpec, request: Request): boolean {
  if (spec.name !== 'sort' && spec.name !== 'sort_ro') return false;
  for (let i = 2; i + 1 < request.argc; i++) {
    if (isWord(request, i, 'store')) i += 1;
    else if (isWord(request, i, 'by') || isWord(request, i, 'get')) {
      i += 1;
      if (request.buffer.subarray(request.argStart(i), request.argEnd(i)).includes(0x2a)) return true;
    }
  }
  return false;
}

/** Whether this call may block: XREAD and XREADGROUP only with BLOCK, other blocking commands always. */
export function mayBlock(spec: CommandSpec, request: Request): boolean {
  if (!spec.isBlocking) return false;
  return spec.keyRule !== 'streams' || streamsOption(request, 'block') > 0;
}

/** The time-out that a blocking call itself asks for.
 *  Units: ms, rounded up; 0 = for ever, or not a number (Redis answers an error at once). */
export function blockingTimeoutMs(spec: CommandSpec, request: Request): number {
  const last = request.argc - 1;
  switch (spec.name) {
    case 'xread':
    case 'xreadgroup':
      return numberAt(request, streamsOption(request, 'block') + 1);
    case 'wait':
    case 'waitaof':
      return numberAt(request, last);
    case 'blmpop':
    case 'bzmpop':
      return Math.ceil(numberAt(request, 1) * 1000);
    default:
      return Math.ceil(numberAt(request, last) * 1000);
  }
}

function numberAt(request: Request, index: number): number {
  if (index < 1 || index >= request.argc) return 0;
  const value = Number(request.argLatin1(index));
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** Whether the command may be queued inside a MULTI that travels over the shared connection as one block. A blocking
 *  command may, because inside MULTI it does not block; WAIT may not, its answer is about the connection. */
export function canRideShared(spec: CommandSpec): boolean {
  if (spec.isBlocking) return spec.keyAccess === 'declared';
  return spec.place === 'shared' || spec.name === 'ping' || spec.name === 'echo';
}
