import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import type { Upstream } from '../route/upstream.ts';
import type { Shard } from '../shard/shard.ts';
import type { Session } from './session.ts';

const keyList = new KeyList();

/** The command names no key. */
export const NO_PLACE = -1;
/** Its keys are at several places. */
export const SEVERAL_PLACES = -2;

/** Where an argument is, taken as a key. */
export function placeOfArgument(upstream: Upstream, request: Request, index: number): number {
  return upstream.placeOf(request.buffer, request.argStart(index), request.argEnd(index));
}

/** The one place of all keys that the request names, NO_PLACE or SEVERAL_PLACES. */
export function placeOf({ context }: Session, request: Request, spec: CommandSpec): number {
  extractKeys(spec, request, keyList);
  return commonPlace(context.upstream, request, keyList);
}

/** The same for these arguments. */
export function commonPlace(upstream: Upstream, request: Request, keys: KeyList): number {
  let place = NO_PLACE;
  for (let i = 0; i < keys.count; i++) {
    const next = placeOfArgument(upstream, request, keys.indices[i] as number);
    if (place === NO_PLACE) place = next;
    else if (next !== place) return SEVERAL_PLACES;
  }
  return place;
}

/** What follows concerns this place in database `db`, or no key when it is NO_PLACE. False when nobody serves it now. */
export function aimAtPlace(session: Session, place: number, db: number = session.db): boolean {
  const { upstream } = session.context;
  if (place === NO_PLACE) {
    aimAtShard(session, upstream.home);
    return true;
  }
  const shard = upstream.shardAt(place);
  if (shard === undefined) return false;
  if (session.identity.shard !== shard) session.identity = session.user.at(shard);
  session.space = upstream.spaceAt(place, db);
  session.place = place;
  return true;
}

/** What follows concerns this request of one place, made while the session was in database `db`. False when nobody serves it. */
export function aimAtKeys(session: Session, request: Request, spec: CommandSpec, db: number): boolean {
  const { upstream } = session.context;
  session.space = db;
  if (upstream.isSingle) return true;
  extractKeys(spec, request, keyList);
  const place =
    keyList.count === 0 ? NO_PLACE : placeOfArgument(upstream, request, keyList.indices[0] as number);
  return aimAtPlace(session, place, db);
}

/** What follows concerns no key, and this shard. */
export function aimAtShard(session: Session, shard: Shard): void {
  if (session.identity.shard !== shard) session.identity = session.user.at(shard);
  session.space = session.db;
  session.place = NO_PLACE;
}
