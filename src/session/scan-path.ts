import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import { planScan, scanReply } from '../route/scan-cursor.ts';
import type { Shard } from '../shard/shard.ts';
import { FanIn } from './fan-in.ts';
import { aimAtShard } from './placement.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';

/** SCAN from shard to shard: the cursor says which one is next. False when it has to wait. */
export function runScan(session: Session, request: Request, spec: CommandSpec): boolean {
  const { shards } = session.context.upstream;
  const numbers = shards.map(({ number }) => number).toSorted((a, b) => a - b);
  if (!session.mayUse('shared')) return false;
  const step = planScan(request, numbers);
  if (Buffer.isBuffer(step)) {
    session.answer(step);
    return true;
  }
  aimAtShard(session, shards.find(({ number }) => number === step.shard) as Shard);
  const { shared } = session.identity;
  if (!shared.hasRoomFor(session)) return false;
  const slot = sharedSlot(session, request, spec);
  const fanIn = new FanIn(session, slot, 1, ([frame]) => scanReply(frame as Buffer, step.shard, numbers));
  shared.submit(fanIn.part(session.identity), step.bytes, 0, step.bytes.length, session.db);
  session.lastPosition = shared.position;
  return true;
}
