import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import { OwnCall } from '../shard/call.ts';
import type { PinnedConnection } from '../shard/pinned-connection.ts';
import { endLeases } from './lease-key.ts';
import type { Session } from './session.ts';

const keyList = new KeyList();

/** Writes after which the key has changed, whatever it was: Redis sees to it that nothing older is stored. */
const CERTAIN: ReadonlySet<string> = new Set(
  'set setex psetex mset getset append incr incrby incrbyfloat decr decrby'.split(' '),
);

/** May this write find nothing to change, so that it leaves no trace in Redis? A DEL of a key that is not there, SET … XX. */
export function mayLeaveNoTrace(spec: CommandSpec, request: Request): boolean {
  if (!spec.isWrite) return false;
  if (!CERTAIN.has(spec.name)) return true;
  if (spec.name !== 'set') return false;
  for (let i = 3; i < request.argc; i++) if (/^[nx]x$/i.test(request.argLatin1(i))) return true;
  return false;
}

/** Such a write to these keys is about to be sent on the shared connection: what was loaded before it must not be stored by
 *  NEARCACHE.SETLEASE after it. */
export function endLeasesBefore(session: Session, keys: readonly string[]): void {
  const bytes = session.context.leases && leaseEnds(session, keys);
  if (bytes === undefined) return;
  const call = new OwnCall(() => undefined);
  call.sentAt = session.now;
  session.identity.shared.submit(call, bytes, 0, bytes.length, session.db);
}

/** The same for a command that is about to be sent on a pinned connection. */
export function endLeasesOn(
  pinned: PinnedConnection,
  session: Session,
  request: Request,
  spec: CommandSpec | undefined,
): void {
  if (session.context.leases === undefined || spec === undefined || !mayLeaveNoTrace(spec, request)) return;
  extractKeys(spec, request, keyList);
  const keys: string[] = [];
  for (let i = 0; i < keyList.count; i++) keys.push(request.argLatin1(keyList.indices[i] as number));
  const bytes = leaseEnds(session, keys);
  if (bytes !== undefined) pinned.submit(new OwnCall(() => undefined), bytes, 0, bytes.length);
}

function leaseEnds(session: Session, keys: readonly string[]): Buffer | undefined {
  const { cache } = session.context;
  return cache === undefined ? undefined : endLeases(cache, keys);
}
