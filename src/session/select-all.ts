import type { CommandSpec } from '../command/spec.ts';
import type { Spread } from '../command/spread.ts';
import type { Request } from '../protocol/request.ts';
import { sendToAll } from './all-shards.ts';
import { whenReplied } from './effect.ts';
import type { Way } from './over-shards.ts';
import { aimAtShard } from './placement.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';

/** SELECT with several shards: a database is entered when all of them have it, since later commands may go to any. */
export function selectOnAll(
  session: Session,
  request: Request,
  spec: CommandSpec,
  spread: Extract<Spread, { kind: 'all' }>,
): Way {
  const { shards, home } = session.context.upstream;
  const text = request.argc === 2 ? request.argLatin1(1) : '';
  const db = /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  const identities = shards.map((shard) => session.user.at(shard));
  if (db === undefined || identities.every(({ databases }) => databases.has(db))) {
    aimAtShard(session, home);
    return 'here';
  }
  if (!session.mayUse('control')) return 'wait';
  const slot = sharedSlot(session, request, spec);
  slot.effect = whenReplied((isError) => {
    if (isError) return;
    for (const { databases } of identities) databases.add(db);
    session.db = db;
    session.pin.follow();
  });
  sendToAll(session, slot, request, spec, spread);
  return 'done';
}
