import { LRUCache } from 'lru-cache';
import type { KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { spreadOf } from '../command/spread.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { parseReply, type Reply } from '../protocol/reply-parser.ts';
import type { Request } from '../protocol/request.ts';
import { type CallFailure, OwnCall } from '../shard/call.ts';
import type { Shard } from '../shard/shard.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import type { Session } from './session.ts';

/** Where a command's keys are, as COMMAND INFO says: none, arguments `first` to `last` (negative = from the end) by `step`, or
 *  only found by asking for each call. */
type KeyPlaces =
  | { readonly first: number; readonly last: number; readonly step: number }
  | 'none'
  | 'movable';

/** What the home shard says of a command. Units: `until` in monotonic ms; then it is asked again. */
interface Known {
  readonly places: KeyPlaces;
  /** Of its subcommands, by name, which Redis tells from 7 on. */
  readonly subcommands: ReadonlyMap<string, KeyPlaces>;
  readonly until: number;
}

/** It could not be heard. */
interface Unheard {
  readonly problem: string;
  readonly until: number;
}

/** It is being asked, for these. */
interface Asked {
  readonly waiting: Set<Session>;
}

const NAMES_MAX = 1000;
const NAME_BYTES_MAX = 128;
/** A module may be loaded, or the server replaced by a newer one: what knows no keys now may soon. */
const ASK_AGAIN_MS = 1000;
/** Where in a row they are. */
const SUBCOMMANDS = 9;

/** By the shard that was asked, so that what another nearcache of this process learnt elsewhere does not count. */
const byShard = new WeakMap<Shard, LRUCache<string, Known | Unheard | Asked>>();

/** A command that our table does not know (a module's, or a newer server's), or such a subcommand. */
export function isForeign(spec: CommandSpec | undefined): boolean {
  return spec === undefined || spreadOf(spec).kind === 'unknown';
}

/** Learn from the home shard where the keys of a foreign command are. 'wait' = it is being asked; a problem = it cannot be, and
 *  run on a wrong shard the command would be silently wrong. */
export function learnForeign(
  session: Session,
  request: Request,
): 'known' | 'wait' | { readonly problem: string } {
  const name = nameOf(request);
  if (name === undefined) return 'known';
  const { home } = session.context.upstream;
  const answers = answersOf(home);
  const answer = answers.get(name);
  if (answer !== undefined && 'waiting' in answer) {
    answer.waiting.add(session);
    return 'wait';
  }
  if (answer === undefined || answer.until <= session.now) {
    ask(session, home, name);
    return 'wait';
  }
  return 'problem' in answer ? answer : 'known';
}

/** The arguments of a foreign command that are keys, as far as they were learnt. False = it has some, and nothing tells which.
 *  A server that does not know the command either tells of none. Shape: `into` is overwritten. */
export function findForeignKeys(session: Session, request: Request, into: KeyList): boolean {
  into.count = 0;
  const places = placesOf(session, request);
  if (places === 'none') return true;
  if (places === 'movable') return false;
  const end = Math.min(places.last < 0 ? request.argc + places.last : places.last, request.argc - 1);
  for (let i = places.first; i <= end; i += places.step) into.add(i);
  return true;
}

/** Undefined = it names no key, or none that any server knows. */
function nameOf(request: Request): string | undefined {
  if (request.argc === 1 || request.argEnd(0) - request.argStart(0) > NAME_BYTES_MAX) return undefined;
  return request.argLatin1(0).toLowerCase();
}

function placesOf(session: Session, request: Request): KeyPlaces {
  const name = nameOf(request);
  const answer = name === undefined ? undefined : answersOf(session.context.upstream.home).get(name);
  if (answer === undefined || !('places' in answer)) return 'none';
  const { places, subcommands } = answer;
  return subcommands.size === 0 ? places : (subcommands.get(request.argLatin1(1).toLowerCase()) ?? places);
}

function answersOf(home: Shard): LRUCache<string, Known | Unheard | Asked> {
  const answers = byShard.get(home) ?? new LRUCache<string, Known | Unheard | Asked>({ max: NAMES_MAX });
  byShard.set(home, answers);
  return answers;
}

function ask(session: Session, home: Shard, name: string): void {
  const { clock, options } = session.context;
  const waiting = new Set([session]);
  answersOf(home).set(name, { waiting });
  const bytes = encodeRequest(['COMMAND', 'INFO', name]);
  const call = new OwnCall((reply, failure) => {
    answersOf(home).set(name, read(reply, failure, clock.now() + ASK_AGAIN_MS));
    for (const each of waiting) each.wake();
  }, options.commandTimeoutMs);
  call.sentAt = session.now;
  home.own.control.submit(call, bytes, 0, bytes.length, ANY_DB);
}

/** Shape: [[name, arity, flags, first, last, step, …, [subcommand, …]]], or [nil]. */
function read(reply: Buffer | undefined, failure: CallFailure | undefined, until: number): Known | Unheard {
  if (reply === undefined) return { problem: failure?.reason ?? 'no reply', until };
  const rows = parseReply(reply, 0, reply.length);
  if (!Array.isArray(rows)) return { problem: 'COMMAND INFO was refused', until };
  const row = rows[0];
  const places = placesIn(row);
  const subcommands = new Map<string, KeyPlaces>();
  const nested = Array.isArray(row) ? row[SUBCOMMANDS] : undefined;
  for (const each of Array.isArray(nested) ? nested : []) {
    const name = Array.isArray(each) ? each[0] : undefined;
    if (typeof name === 'string') subcommands.set(name.slice(name.indexOf('|') + 1), placesIn(each));
  }
  return { places, subcommands, until: places === 'none' ? until : Infinity };
}

function placesIn(row: Reply): KeyPlaces {
  if (!Array.isArray(row)) return 'none';
  const [, , flags, first, last, step] = row;
  if (Array.isArray(flags) && flags.includes('movablekeys')) return 'movable';
  if (typeof first !== 'number' || typeof last !== 'number' || typeof step !== 'number') return 'none';
  return first <= 0 || step <= 0 ? 'none' : { first, last, step };
}
