import type { Clock } from '../base/clock.ts';
import type { CallFailure } from './call.ts';
import type { AddressSource } from './connection.ts';
import type { CredentialSource } from './credentials.ts';
import { PinnedConnection, type PinnedHolder, type PinnedSetup } from './pinned-connection.ts';
import type { ShardStats } from './shard-stats.ts';

export interface PinnedLimits {
  /** Pinned connections to the shard, all identities together. */
  pinnedMax: number;
  /** Kept open though nobody holds them, from `SURPLUS_MS` on. */
  idleMax: number;
  idleMs: number;
  connectTimeoutMs: number;
  commandTimeoutMs: number;
}

/** Idle connections beyond `idleMax` stay for so long, since sessions that come and go in step (50 apps, each with its
 *  MULTI step by step) would else open and close one for nearly every transaction. */
const SURPLUS_MS = 1000;

/** The pinned connections of one identity to one shard: made when needed, cleaned and reused after. Connecting for
 *  each MULTI would cost 300–400 times the connections (envoyproxy/envoy#44338).
 *  Bounds: `pinnedMax` over the shard; beyond it `acquire` fails with 'busy'. */
export class PinnedPool {
  #idle: PinnedConnection[] = [];
  #all = new Set<PinnedConnection>();
  #address: AddressSource;
  #credentials: CredentialSource;
  #limits: PinnedLimits;
  #clock: Clock;
  #stats: ShardStats;
  /** A connection is gone; 0 = it had no id yet. */
  onLost: (clientId: number) => void = () => undefined;
  /** What a connection is called that is to have no name. */
  nameOf: () => string = () => '';

  constructor(
    address: AddressSource,
    credentials: CredentialSource,
    limits: PinnedLimits,
    clock: Clock,
    stats: ShardStats,
  ) {
    this.#address = address;
    this.#credentials = credentials;
    this.#limits = limits;
    this.#clock = clock;
    this.#stats = stats;
  }

  /** Get a connection that is set up as asked. `done` may run before this returns. */
  acquire(
    holder: PinnedHolder,
    setup: PinnedSetup,
    done: (pinned: PinnedConnection | undefined, failure: CallFailure | undefined) => void,
  ): void {
    if (setup.name === '') setup = { ...setup, name: this.nameOf() };
    const pinned = this.#takeIdle(setup) ?? this.#open();
    if (pinned === undefined) {
      return done(undefined, { kind: 'busy', reason: String(this.#limits.pinnedMax) });
    }
    const wasUsed = pinned.idleSince > 0;
    pinned.prepare(setup, (failure) => {
      if (failure === undefined) {
        pinned.holder = holder;
        return done(pinned, undefined);
      }
      pinned.destroy(failure.reason);
      // An idle connection that turns out dead says nothing about Redis: one fresh try.
      if (wasUsed && failure.kind === 'lost') return this.acquire(holder, setup, done);
      const isOutcomeUnknown = failure.kind === 'lost' || failure.kind === 'timeout';
      done(undefined, isOutcomeUnknown ? { ...failure, kind: 'unsent' } : failure);
    });
  }

  /** Give a connection back. `isClean` = what ran on it leaves no connection state behind. */
  release(pinned: PinnedConnection, isClean: boolean): void {
    pinned.holder = undefined;
    if (pinned.isGone) return;
    if (isClean && pinned.connection.calls.length === 0) return this.#rest(pinned);
    pinned.clean((failure) => {
      if (failure === undefined) this.#rest(pinned);
      else pinned.destroy(failure.reason);
    });
  }

  /** Has everything that was sent on them been answered? */
  get isQuiet(): boolean {
    for (const pinned of this.#all) if (pinned.connection.calls.length > 0) return false;
    return true;
  }

  tick(now: number): void {
    for (const pinned of this.#all) {
      pinned.connection.expireCalls(now);
      if (pinned.connection.isSilent(now, this.#limits.connectTimeoutMs + this.#limits.commandTimeoutMs)) {
        this.#giveUpSilent(pinned);
      }
    }
    this.#trim(now);
  }

  close(reason = 'nearcache is stopping'): void {
    for (const pinned of this.#all) pinned.destroy(reason);
  }

  /** Close what nobody needs. The list is in the order of rest. */
  #trim(now: number): void {
    for (let oldest = this.#idle[0]; oldest !== undefined; oldest = this.#idle[0]) {
      const idleMs = now - oldest.idleSince;
      const isSurplus = this.#idle.length > this.#limits.idleMax && idleMs > SURPLUS_MS;
      if (!isSurplus && idleMs <= this.#limits.idleMs) return;
      this.#idle.shift();
      this.#stats.pinnedIdle--;
      oldest.destroy('idle');
    }
  }

  /** Outstanding calls without a time-out of their own (BLPOP q 0) may be silent for ever. */
  #giveUpSilent(pinned: PinnedConnection): void {
    const oldest = pinned.connection.calls.peek();
    if (oldest !== undefined && (oldest.hasTimedOut || oldest.timeoutMs > 0))
      pinned.destroy('no answer from Redis');
  }

  #takeIdle(setup: PinnedSetup): PinnedConnection | undefined {
    let index = this.#idle.findLastIndex((pinned) => pinned.fits(setup));
    if (index === -1) index = this.#idle.length - 1;
    if (index === -1) return undefined;
    const pinned = this.#idle.splice(index, 1)[0] as PinnedConnection;
    this.#stats.pinnedIdle--;
    this.#stats.pinnedReused++;
    return pinned;
  }

  #open(): PinnedConnection | undefined {
    if (this.#stats.pinnedConnections >= this.#limits.pinnedMax) return undefined;
    this.#stats.pinnedConnections++;
    this.#stats.pinnedOpened++;
    const { connectTimeoutMs } = this.#limits;
    const pinned = new PinnedConnection(
      this.#clock,
      this.#credentials,
      this.#stats,
      connectTimeoutMs,
      (gone) => this.#lost(gone),
    );
    this.#all.add(pinned);
    pinned.connect(this.#address(), this.#limits.connectTimeoutMs);
    return pinned;
  }

  #rest(pinned: PinnedConnection): void {
    pinned.idleSince = this.#clock.now();
    this.#idle.push(pinned);
    this.#stats.pinnedIdle++;
  }

  #lost(pinned: PinnedConnection): void {
    this.onLost(pinned.clientId);
    this.#all.delete(pinned);
    this.#stats.pinnedConnections--;
    const index = this.#idle.indexOf(pinned);
    if (index === -1) return;
    this.#idle.splice(index, 1);
    this.#stats.pinnedIdle--;
  }
}
