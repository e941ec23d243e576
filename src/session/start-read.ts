import type { BypassReason } from '../cache/cache-stats.ts';
import type { Flight } from '../cache/flight.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Policy } from '../policy/policy.ts';
import type { Request } from '../protocol/request.ts';
import type { SharedConnection } from '../shard/shared-connection.ts';
import { wanted } from './cached-answer.ts';
import { LeasedRead } from './leased-read.ts';
import type { Leases } from './leases.ts';
import { PTTL_HEAD, ReadCall, TtlCall } from './read-call.ts';
import type { Session } from './session.ts';
import { shapeOf, timeoutOf } from './shared-slot.ts';

const DB_MAX = 65_535;

/** Why no read of this session may fill or be shared now. */
export function whyNoFlight(session: Session, policy: Policy): BypassReason | undefined {
  const { generation } = session.identity.shared;
  if (!generation.isTracking || !generation.isAlive) return 'off';
  if (session.unknownOutstanding > 0) return 'ordered';
  if (session.space < 0) return 'moving';
  return policy.isCached ? undefined : 'policy';
}

/** Why this key may not be read for the near-cache now. */
export function whyClosed(
  cache: NearCache,
  key: string,
  { keyStart, keyEnd, argsStart, argsEnd, db, fence }: typeof wanted,
): BypassReason | undefined {
  if (keyEnd - keyStart + argsEnd - argsStart > cache.options.maxKeyBytes || db > DB_MAX) return 'size';
  if (cache.isHeldOff(key)) return 'held-off';
  return cache.isClosed(key, fence) ? 'closed' : undefined;
}

/** The leases, if this read may have one: a GET of a key under a policy that says so. */
export function leasesFor(
  { context }: Session,
  request: Request,
  spec: CommandSpec,
  policy: Policy,
): Leases | undefined {
  return policy.lease !== undefined && spec.name === 'get' && request.argc === 2 ? context.leases : undefined;
}

/** The policy of the key that `wanted` aims at. */
export function policyOf({ policies }: NearCache): Policy {
  return policies.of(wanted.bytes, wanted.keyStart, wanted.keyEnd);
}

/** Longest life of what a command reads. The fields of a hash may expire while the key's PTTL says that it does not. */
export function maxTtlOf(spec: CommandSpec, shared: SharedConnection, policy: Policy): number {
  const mayExpireInside = shared.server?.hasFieldTtl === true && spec.name.startsWith('h');
  return mayExpireInside ? Math.min(policy.maxTtlMs, policy.negativeTtlMs) : policy.maxTtlMs;
}

/** The flight of a read that `wanted` aims at; `key` and `policy` are of the key that it names. */
export function startFlight(
  session: Session,
  cache: NearCache,
  spec: CommandSpec,
  key: string,
  policy: Policy,
): Flight {
  const { shared } = session.identity;
  return cache.startFlight(wanted, key, {
    generation: shared.generation,
    sentAt: session.now,
    policy,
    maxTtlMs: maxTtlOf(spec, shared, policy),
  });
}

/** A read that `wanted` aims at, for nobody until others join it. */
export function startRereading(
  session: Session,
  cache: NearCache,
  spec: CommandSpec,
  { key, policy }: { key: string; policy: Policy },
): ReadCall {
  const flight = startFlight(session, cache, spec, key, policy);
  return underWay(session, spec, new ReadCall(cache, flight, shapeOf(spec), session.context.clock), 2);
}

/** A read that `wanted` aims at, which others may join. */
export function startRead(
  session: Session,
  cache: NearCache,
  request: Request,
  spec: CommandSpec,
  { key, policy }: { key: string; policy: Policy },
): ReadCall {
  const { identity } = session;
  const { clock } = session.context;
  const flight = startFlight(session, cache, spec, key, policy);
  const leases = leasesFor(session, request, spec, policy);
  const read =
    leases === undefined
      ? new ReadCall(cache, flight, shapeOf(spec), clock)
      : new LeasedRead(leases, { cache, flight, clock, identity, request: request.copy() });
  return underWay(session, spec, read, request.argc);
}

function underWay(session: Session, spec: CommandSpec, read: ReadCall, argc: number): ReadCall {
  read.timeoutMs = timeoutOf(session, spec);
  read.argc = argc;
  read.db = session.db;
  read.flight.read = read;
  return read;
}

/** Send PTTL and the command in one packet, so that the TTL is the value's own (coherence spec §5). */
export function sendRead(session: Session, read: ReadCall, request: Request): void {
  const { shared } = session.identity;
  shared.submitWithTtl(new TtlCall(read.flight), read, PTTL_HEAD, request, session.db);
  read.position = shared.position;
}
