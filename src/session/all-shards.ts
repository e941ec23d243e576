import { FlushEffect } from './effect.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Spread } from '../command/spread.ts';
import { systemRandom } from '../base/random.ts';
import type { Request } from '../protocol/request.ts';
import { merge, type MergeContext } from '../route/merge.ts';
import { planInfo } from '../route/merge-info.ts';
import { entryLimit } from '../route/merge-logs.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { FanIn } from './fan-in.ts';
import { letHeldGo } from './parked-read.ts';
import { runPinnedPart } from './pinned-part.ts';
import { aimAtShard } from './placement.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';
import type { Slot } from './slot.ts';

type All = Extract<Spread, { kind: 'all' }>;

/** A command that concerns every shard: sent to all as it is, one reply out of theirs. False when it has to wait. */
export function runOnAll(session: Session, request: Request, spec: CommandSpec, spread: All): boolean {
  const { upstream, cache } = session.context;
  const { shards } = upstream;
  if (!session.mayUse(spread.link) || !letHeldGo(session)) return false;
  if (spread.link === 'shared') {
    for (const shard of shards) if (!session.user.at(shard).shared.hasRoomFor(session)) return false;
  }
  const slot = sharedSlot(session, request, spec);
  if (cache !== undefined && (spec.flushesAll || spec.keyAccess === 'unknown')) {
    slot.effect = new FlushEffect(cache);
  }
  sendToAll(session, slot, request, spec, spread);
  return true;
}

/** The parts of a command whose slot is there already. */
export function sendToAll(
  session: Session,
  slot: Slot,
  request: Request,
  spec: CommandSpec,
  spread: All,
): void {
  const { shards } = session.context.upstream;
  const context = contextOf(session, request, spec, spread);
  session.fanIn = new FanIn(session, slot, shards.length, (frames) => merge(spread.merge, frames, context));
  // INFO asks each shard for what the merged text needs.
  const asked = context.info?.plan.bytes;
  const { buffer, start, end } =
    asked === undefined ? request : { buffer: asked, start: 0, end: asked.length };
  for (const shard of shards) {
    aimAtShard(session, shard);
    const { shared, control } = session.identity;
    if (spread.link === 'pinned') runPinnedPart(session, request, spec);
    else if (spread.link === 'shared')
      shared.submit(sharedSlot(session, request, spec), buffer, start, end, session.db);
    else control.submit(sharedSlot(session, request, spec), buffer, start, end, ANY_DB);
    session.lastPosition = shared.position;
  }
  session.fanIn = undefined;
}

function contextOf(
  session: Session,
  request: Request,
  spec: CommandSpec,
  { merge: rule }: All,
): MergeContext {
  const command = spec.name;
  switch (rule) {
    case 'any-not-nil':
      return { command, random: systemRandom };
    case 'newest':
      return { command, limit: entryLimit(request) };
    case 'info': {
      const shards = session.context.upstream.shards.map(({ name, address }) => ({
        name,
        address: `${address.host}:${address.port}`,
      }));
      return { command, info: { plan: planInfo(request), shards } };
    }
    default:
      return { command };
  }
}
