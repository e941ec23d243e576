import { copyOf } from '../base/copy-of.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { allCommands } from '../command/table.ts';
import type { Policy } from '../policy/policy.ts';
import { MINUS } from '../protocol/bytes.ts';
import type { Request } from '../protocol/request.ts';
import { Call, type CallFailure, type FrameFacts } from '../shard/call.ts';
import type { Identity } from '../shard/identity.ts';
import type { Replica } from '../shard/replica.ts';
import type { Replicas } from '../shard/replicas.ts';
import { serveMany } from './many-keys-path.ts';
import { countBypass, serveOne } from './near-cache-path.ts';
import { isOwnUser } from './authentication.ts';
import type { Session } from './session.ts';
import { sharedSlot } from './shared-slot.ts';
import type { Slot } from './slot.ts';

/** A cursor is good for the server that gave it, and TOUCH is meant for the primary's own eviction. */
const PRIMARY_ONLY: readonly string[] = ['hscan', 'sscan', 'zscan', 'touch'];

/** By the command's id. Scripts that take keys may be on the primary alone: SCRIPT LOAD is not replicated. */
const RUNS_ON_REPLICAS: readonly boolean[] = allCommands().map(
  (spec) =>
    spec.isRead &&
    !spec.isWrite &&
    spec.place === 'shared' &&
    spec.keyAccess === 'declared' &&
    !spec.mayLackKeys &&
    !PRIMARY_ONLY.includes(spec.name),
);

const keyList = new KeyList();

/** A read whose keys' policies prefer a replica: from the near-cache if it is there, else from a replica, and nothing is kept.
 *  False = it goes to the primary like any other: no replica can be used, the session has unanswered commands on another link,
 *  a write to one of the keys is on its way, or the keys are between two shards. */
export function readFromReplica(
  session: Session,
  replicas: Replicas,
  request: Request,
  spec: CommandSpec,
): boolean {
  if (RUNS_ON_REPLICAS[spec.id] !== true || !isOwnUser(session) || isMoving(session)) return false;
  const { cache } = session.context;
  const policy = policyOfKeys(replicas, cache, request, spec);
  if (policy === undefined) return false;
  const preference = policy.readPreference === 'nearest' ? 'nearest' : 'replica';
  const replica = replicas.pick(preference, session.id);
  if (replica === undefined || replica.link.isFull || !session.mayUse('replica')) return false;
  if (cache !== undefined) {
    if (serve(session, cache, request, spec)) return true;
    if (spec.cacheClass !== '') countBypass(cache, spec, policy, 'replica');
  }
  const slot = sharedSlot(session, request, spec);
  const read = new ReplicaRead(session, slot, replica, request);
  replica.reads++;
  replica.link.submit(read, request.buffer, request.start, request.end, session.db);
  return true;
}

/** A replica does not know that keys are being moved away: it would say that they are not there. */
function isMoving({ space, context }: Session): boolean {
  return space < 0 || context.upstream.gate?.isOpen === false;
}

/** The policy of the first key, if the policies of all keys prefer a replica and no write to any is on its way. */
function policyOfKeys(
  { policies }: Replicas,
  cache: NearCache | undefined,
  request: Request,
  spec: CommandSpec,
): Policy | undefined {
  if (extractKeys(spec, request, keyList) !== 'keys') return undefined;
  let first: Policy | undefined;
  for (let i = 0; i < keyList.count; i++) {
    const index = keyList.indices[i] as number;
    const policy = policies.of(request.buffer, request.argStart(index), request.argEnd(index));
    if (!prefersReplica(policy) || cache?.isClosed(request.argLatin1(index)) === true) return undefined;
    first ??= policy;
  }
  return first;
}

/** Who hears a nil under a lease is to load the value: only the primary knows that there is none. */
function prefersReplica({ readPreference = 'primary', lease }: Policy): boolean {
  return readPreference !== 'primary' && lease === undefined;
}

/** From what reads of the primary have left in the near-cache. */
function serve(session: Session, cache: NearCache, request: Request, spec: CommandSpec): boolean {
  if (spec.cacheClass === 'A') return serveOne(session, cache, request, spec);
  // As on the way to the primary: what a node may have to refuse is not ours to put together.
  const isCluster = session.identity.shared.server?.isCluster === true;
  return spec.cacheClass === 'B' && !isCluster && serveMany(session, cache, request, spec);
}

/** A read that a replica was sent. When it gives no answer, or an error (it may still be loading, have lost its primary, or not
 *  have the slot), the primary is asked: a read may run twice. The command's own time-out goes on. */
class ReplicaRead extends Call {
  readonly #session: Session;
  readonly #slot: Slot;
  readonly #replica: Replica;
  readonly #bytes: Buffer;
  readonly #db: number;
  /** What comes is an error, which nobody hears. */
  #isError = false;

  constructor(session: Session, slot: Slot, replica: Replica, request: Request) {
    super();
    this.#session = session;
    this.#slot = slot;
    this.#replica = replica;
    this.#bytes = copyOf(request.buffer, request.start, request.end);
    this.#db = session.db;
    this.sentAt = slot.sentAt;
    this.timeoutMs = slot.timeoutMs;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    if (!this.hasBegun) this.#isError = facts.type === MINUS && this.#isWanted;
    this.hasBegun = true;
    if (!this.#isError) this.#slot.reply(chunk, start, end, last, facts);
    else if (last) this.#askPrimary();
  }

  fail(failure: CallFailure): void {
    if (failure.kind === 'timeout') {
      this.#slot.fail(failure);
      this.#slot.hasTimedOut = true;
    } else if (this.#isWanted && (!this.hasBegun || this.#isError)) {
      this.#askPrimary();
    } else {
      this.#slot.fail(failure);
    }
  }

  get #isWanted(): boolean {
    return !this.hasTimedOut && !this.#session.isClosed;
  }

  #askPrimary(): void {
    const { shared } = this.#slot.identity as Identity;
    this.#replica.retried++;
    shared.submit(this.#slot, this.#bytes, 0, this.#bytes.length, this.#db);
    this.#session.lastPosition = shared.position;
  }
}
