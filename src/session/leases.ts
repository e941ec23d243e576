import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { sameId } from '../cache/entry-id.ts';
import type { KeyWatcher, NearCache } from '../cache/near-cache.ts';
import type { EntryId } from '../cache/store.ts';
import type { Lease as LeaseRules } from '../policy/policy.ts';
import { PLUS, UNDERSCORE } from '../protocol/bytes.ts';
import { NIL3 } from '../protocol/encoder.ts';
import { OwnCall } from '../shard/call.ts';
import { FanOutCall } from './fan-out-call.ts';
import { Lease, type LeaseWait } from './lease.ts';
import { releaseLease, takeLease } from './lease-key.ts';
import { LeaseTokens } from './lease-tokens.ts';
import { LeasedRead } from './leased-read.ts';
import { PTTL_HEAD, TtlCall } from './read-call.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

/** Live leases; a key beyond them is loaded by everybody. */
const LEASES_MAX = 16_384;
/** How exactly waits and leases end. */
const SWEEP_MS = 20;

const NIL_FACTS = { type: UNDERSCORE, hasResp3: true } as const;

/** Guards the app's database against a stampede: of the sessions whose GET found nothing, over all pods, one hears so and
 *  loads; the others' reads wait until Redis says that the key has changed, and are then sent again.
 *
 *  Whoever waits is answered by a read that is sent when the wait is over, however it ended, so that no answer is older than
 *  one without leases; only the loader hears of the nil that was read first, over the link that would have told of a change.
 *  A session waits only while nothing is behind its read, since replies are in order.
 *  Bounds: LEASES_MAX; `followersMax` who wait for one. Cost: one SET to Redis for a nil, one EVAL at its end. */
export class Leases implements KeyWatcher {
  readonly tokens: LeaseTokens;
  readonly #cache: NearCache;
  readonly #clock: Clock;
  readonly #options: { followersMax: number; commandTimeoutMs: number };
  /** By key; several when it is read in several databases or by several users. */
  readonly #byKey = new Map<string, Lease[]>();
  #count = 0;
  readonly #tokenHead: string;
  #tokens = 0;
  #stopSweeping: () => void = () => undefined;

  constructor(
    cache: NearCache,
    parts: {
      clock: Clock;
      random: Random;
      options: { followersMax: number; commandTimeoutMs: number };
      tokensMax: number;
    },
  ) {
    this.#cache = cache;
    this.#clock = parts.clock;
    this.#options = parts.options;
    this.tokens = new LeaseTokens(parts.clock, { ...parts.options, tokensMax: parts.tokensMax });
    this.#tokenHead = Math.floor(parts.random() * 2 ** 48).toString(36);
  }

  /** A token that no other lease has. */
  nextToken(): string {
    return `${this.#tokenHead}-${(++this.#tokens).toString(36)}`;
  }

  /** The lease that a read of this session can wait for, instead of asking Redis. */
  joinable(session: Session, key: string, id: EntryId): Lease | undefined {
    if (this.#count === 0 || session.queue.length > 0 || session.replyMode !== 'on') return undefined;
    const lease = this.#find(key, id);
    if (lease === undefined || lease.isSuspect || lease.holder === session) return undefined;
    return lease.waits.size < this.#options.followersMax ? lease : undefined;
  }

  /** Let a session wait with its only unanswered command. */
  wait(lease: Lease, session: Session, slot: Slot): void {
    if (slot.waitUntil === 0) {
      slot.waitUntil = this.#clock.now() + (lease.policy.lease as LeaseRules).waitMs;
    }
    const wait: LeaseWait = { lease, session, slot };
    lease.waits.add(wait);
    session.waiting = wait;
  }

  /** A read found nothing: some of who asked hear so, the others wait. */
  missed(read: LeasedRead): void {
    const known = this.#find(read.flight.key, read.id);
    const lease = known ?? this.#begin(read);
    if (lease !== undefined && (read.isCurrent || lease !== known)) lease.isSuspect = !read.isCurrent;
    for (const slot of read.waiters) {
      const session = slot.owner as Session;
      if (lease !== undefined && this.#mayWait(lease, session, slot)) this.wait(lease, session, slot);
      else this.#answerNil(lease, session, slot);
    }
    if (lease !== undefined && lease !== known) this.#ask(lease);
  }

  /** A read brought a value, or something that is no nil. */
  loaded(waiters: readonly Slot[]): void {
    for (const slot of waiters) if (slot.waitUntil > 0) this.#cache.stats.leaseWaits.value++;
  }

  /** Something is to go behind what this session waits with. */
  giveUp(session: Session): void {
    const { waiting } = session;
    if (waiting === undefined) return;
    this.#cache.stats.leaseWaits['given-up']++;
    waiting.slot.waitUntil = NEVER_AGAIN;
    waiting.lease.waits.delete(waiting);
    this.#readAgain(waiting.lease, [waiting]);
  }

  /** Nobody is kept waiting for what it was loading. */
  sessionClosed(session: Session): void {
    session.waiting?.lease.waits.delete(session.waiting);
    session.waiting = undefined;
    this.tokens.sessionClosed(session);
    for (const lease of session.leases ?? []) this.#end(lease);
  }

  // --- KeyWatcher ----------------------------------------------------------------------------------------------

  revoked(key: string | undefined): void {
    if (this.#count === 0) return;
    const leases = key === undefined ? this.#all() : this.#byKey.get(key);
    for (const lease of leases ?? []) lease.isSuspect = true;
  }

  invalidated(key: string | undefined): void {
    this.tokens.invalidated(key);
    if (this.#count === 0) return;
    const leases = key === undefined ? this.#all() : this.#byKey.get(key);
    for (const lease of leases ?? []) this.#end(lease);
  }

  // --- a lease's life ------------------------------------------------------------------------------------------

  #all(): Lease[] {
    return [...this.#byKey.values()].flat();
  }

  #find(key: string, id: EntryId): Lease | undefined {
    return this.#byKey.get(key)?.find((lease) => sameId(lease.id, id));
  }

  #begin(read: LeasedRead): Lease | undefined {
    const { flight, identity, request, policy } = read;
    const isWanted = read.waiters.some((slot) => !slot.hasTimedOut && !slot.isSilent && !slot.owner.isClosed);
    const { isAlive, isTracking } = identity.shared.generation;
    if (!isWanted || !isAlive || !isTracking || this.#count >= LEASES_MAX) return undefined;
    const of = { key: flight.key, id: flight.id, request, policy, identity };
    const lease = new Lease(of, policy.lease as LeaseRules, this.nextToken(), this.#clock.now());
    const others = this.#byKey.get(lease.key);
    if (others === undefined) this.#byKey.set(lease.key, [lease]);
    else others.push(lease);
    this.#count++;
    if (this.#count === 1) this.#stopSweeping = this.#clock.every(SWEEP_MS, () => this.#sweep());
    return lease;
  }

  /** Does another pod load already? */
  #ask(lease: Lease): void {
    const { ttlMs } = lease.policy.lease as LeaseRules;
    this.#submit(lease, takeLease(lease.key, lease.token, ttlMs), (reply) => {
      lease.isKnown = reply?.[0] === PLUS;
      if (lease.isOver) return this.#release(lease);
      if (reply === undefined) return this.#end(lease);
      if (reply[0] === UNDERSCORE) {
        lease.state = 'elsewhere';
        this.#unhold(lease);
        return;
      }
      // A user who may not write it has its lease within this pod alone.
      lease.state = 'ours';
      this.#cache.stats.leasesGranted++;
      if (lease.holder === undefined) this.#appoint(lease);
    });
  }

  /** Tell the first who waits that there is nothing. */
  #appoint(lease: Lease): void {
    const [first] = lease.waits;
    if (first === undefined || lease.isSuspect) return this.#end(lease);
    lease.waits.delete(first);
    first.session.waiting = undefined;
    const { waitMs, ttlMs } = lease.policy.lease as LeaseRules;
    const beganAt = lease.endsAt - ttlMs;
    if (first.slot.waitUntil < beganAt + waitMs) this.#cache.stats.leaseWaits.loader++;
    this.#hold(lease, first.session);
    answerNil(first.slot);
  }

  /** Over, for whatever reason: who waits asks again. */
  #end(lease: Lease): void {
    if (lease.isOver) return;
    lease.isOver = true;
    const others = this.#byKey.get(lease.key)?.filter((other) => other !== lease) ?? [];
    if (others.length > 0) this.#byKey.set(lease.key, others);
    else this.#byKey.delete(lease.key);
    this.#count--;
    if (this.#count === 0) this.#stopSweeping();
    this.#unhold(lease);
    this.#release(lease);
    const waits = [...lease.waits];
    lease.waits.clear();
    this.#readAgain(lease, waits);
  }

  #release(lease: Lease): void {
    if (!lease.isKnown || !lease.generation.isAlive) return;
    this.#submit(lease, releaseLease(lease.key, lease.token), () => undefined);
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const lease of this.#all()) {
      const { generation, identity } = lease;
      // While the link is being made again nothing can be read for those who wait.
      const isLost = !generation.isAlive && identity.shared.state !== 'connecting';
      if (isLost || !generation.isTracking || now >= lease.endsAt) this.#end(lease);
      else this.#timeOut(lease, now);
    }
  }

  #timeOut(lease: Lease, now: number): void {
    const late = [...lease.waits].filter(({ slot }) => now >= slot.waitUntil);
    for (const wait of late) {
      wait.slot.waitUntil = NEVER_AGAIN;
      lease.waits.delete(wait);
    }
    this.#cache.stats.leaseWaits.timeout += late.length;
    this.#readAgain(lease, late);
  }

  // --- its sessions --------------------------------------------------------------------------------------------

  #mayWait(lease: Lease, session: Session, slot: Slot): boolean {
    const mayWait = slot.waitUntil === 0 || this.#clock.now() < slot.waitUntil;
    return (
      mayWait &&
      session !== lease.holder &&
      lease.waits.size < this.#options.followersMax &&
      session.mayWait(slot)
    );
  }

  #answerNil(lease: Lease | undefined, session: Session, slot: Slot): void {
    const hears = !slot.hasTimedOut && !slot.isSilent && !session.isClosed;
    if (hears && lease?.state === 'asking' && lease.holder === undefined) this.#hold(lease, session);
    answerNil(slot);
  }

  #hold(lease: Lease, session: Session): void {
    lease.holder = session;
    (session.leases ??= new Set()).add(lease);
  }

  #unhold(lease: Lease): void {
    lease.holder?.leases?.delete(lease);
    lease.holder = undefined;
  }

  /** The end of these waits: one read for all of them. */
  #readAgain(lease: Lease, waits: readonly LeaseWait[]): void {
    if (waits.length === 0) return;
    const { shared } = lease.identity;
    const { generation } = shared;
    const { request } = lease;
    const sentAt = this.#clock.now();
    const canFill = generation.isAlive && generation.isTracking;
    const read = canFill ? this.#startRead(lease, sentAt) : new FanOutCall();
    read.timeoutMs = this.#options.commandTimeoutMs;
    read.sentAt = sentAt;
    for (const { session, slot } of waits) {
      session.waiting = undefined;
      read.waiters.push(slot);
    }
    if (read instanceof LeasedRead) {
      shared.submitWithTtl(new TtlCall(read.flight), read, PTTL_HEAD, request, dbOf(lease));
      read.position = shared.position;
    } else {
      shared.submit(read, request.buffer, request.start, request.end, dbOf(lease));
    }
    for (const { session } of waits) session.lastPosition = shared.position;
  }

  #startRead(lease: Lease, sentAt: number): LeasedRead {
    const { identity, policy, request } = lease;
    const { generation } = identity.shared;
    const id = { ...lease.id, fence: generation.fence };
    const plan = { generation, sentAt, policy, maxTtlMs: policy.maxTtlMs };
    const flight = this.#cache.startFlight(id, lease.key, plan);
    const read = new LeasedRead(this, { cache: this.#cache, flight, clock: this.#clock, identity, request });
    flight.read = read;
    return read;
  }

  #submit(lease: Lease, bytes: Buffer, done: (reply: Buffer | undefined) => void): void {
    const call = new OwnCall(done, this.#options.commandTimeoutMs);
    call.sentAt = this.#clock.now();
    lease.identity.shared.submit(call, bytes, 0, bytes.length, dbOf(lease));
  }
}

/** In a Cluster, which has one database, entries carry something else there. */
function dbOf({ id, identity }: Lease): number {
  return identity.shared.server?.isCluster === true ? 0 : id.db;
}

/** For `Slot.waitUntil`. */
const NEVER_AGAIN = -1;

function answerNil(slot: Slot): void {
  slot.reply(NIL3, 0, NIL3.length, true, NIL_FACTS);
}
