import { LRUCache } from 'lru-cache';
import { KeyList } from '../command/keys.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { parseReply } from '../protocol/reply-parser.ts';
import type { Request } from '../protocol/request.ts';
import { OwnCall } from '../shard/call.ts';
import type { Shard } from '../shard/shard.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { aimAtShard, commonPlace, NO_PLACE, SEVERAL_PLACES } from './placement.ts';
import type { Session } from './session.ts';

/** Where a command's keys are, as COMMAND INFO says: none, arguments `first` to `last` (negative = from the end) by `step`, or
 *  only found by asking for each call. */
type KeyPlaces =
  | { readonly first: number; readonly last: number; readonly step: number }
  | 'none'
  | 'movable';

const NAMES_MAX = 1000;
const NAME_BYTES_MAX = 128;
const RETRY_MS = 1000;

const keyList = new KeyList();

/** By the shard that was asked, so that what another nearcache of this process learnt elsewhere does not count. */
const known = new WeakMap<Shard, LRUCache<string, KeyPlaces>>();

/** The place of a command that our table does not know (a module's, or a newer server's), by what the home shard says of it;
 *  NO_PLACE when it does not know it either, so that its error is the answer. Undefined = it is being asked, wait. */
export function placeOfForeign(session: Session, request: Request): number | undefined {
  const name = request.argLatin1(0).toLowerCase();
  if (request.argc === 1 || name.length > NAME_BYTES_MAX) return NO_PLACE;
  const { home } = session.context.upstream;
  const places = placesKnownAt(home).get(name);
  if (places === undefined) return ask(session, home, name);
  if (places === 'none') return NO_PLACE;
  // Nothing tells which of its arguments are keys, and run on a wrong shard it would be silently wrong.
  if (places === 'movable') return SEVERAL_PLACES;
  return placeOfRange(session, request, places);
}

function placesKnownAt(home: Shard): LRUCache<string, KeyPlaces> {
  const places = known.get(home) ?? new LRUCache<string, KeyPlaces>({ max: NAMES_MAX });
  known.set(home, places);
  return places;
}

function placeOfRange(
  session: Session,
  request: Request,
  { first, last, step }: Exclude<KeyPlaces, string>,
): number {
  const end = Math.min(last < 0 ? request.argc + last : last, request.argc - 1);
  keyList.count = 0;
  for (let i = first; i <= end; i += step) keyList.add(i);
  return commonPlace(session.context.upstream, request, keyList);
}

function ask(session: Session, home: Shard, name: string): number | undefined {
  aimAtShard(session, home);
  const bytes = encodeRequest(['COMMAND', 'INFO', name]);
  const call = new OwnCall((reply) => {
    // Not heard, it is asked again a little later; until then the home shard is to say what is wrong.
    if (reply === undefined) placesKnownAt(home).set(name, 'none', { ttl: RETRY_MS });
    else placesKnownAt(home).set(name, read(reply));
    session.wake();
  }, session.context.options.commandTimeoutMs);
  call.sentAt = session.now;
  home.own.control.submit(call, bytes, 0, bytes.length, ANY_DB);
  return undefined;
}

/** Shape: [[name, arity, flags, first, last, step, …]], or [nil]. */
function read(reply: Buffer): KeyPlaces {
  const rows = parseReply(reply, 0, reply.length);
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  if (!Array.isArray(row)) return 'none';
  const [, , flags, first, last, step] = row as unknown[];
  const isMovable = (flags instanceof Set || Array.isArray(flags)) && [...flags].includes('movablekeys');
  if (isMovable) return 'movable';
  if (typeof first !== 'number' || typeof last !== 'number' || typeof step !== 'number') return 'none';
  return first <= 0 || step <= 0 ? 'none' : { first, last, step };
}
