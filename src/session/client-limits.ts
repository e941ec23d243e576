import type { Clock } from '../base/clock.ts';
import type { ErrorCode } from '../base/errors.ts';
import { Fifo } from '../base/fifo.ts';
import { atEndOfTurn, type EndOfTurn } from '../base/turn.ts';
import type { Session } from './session.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { SessionCloseReason, SessionStats } from './session-stats.ts';

/** Units: bytes; ms. 0 = no limit. */
export interface ClientLimitOptions {
  memoryBytes: number;
  idleTimeoutMs: number;
  requestTimeoutMs: number;
  slowTimeoutMs: number;
  /** What a client that leaves replies unread has to read in that time. Above 0. */
  slowBytes: number;
}

/** Why a session is looked at twice. */
type Suspicion = Extract<SessionCloseReason, 'idle' | 'request' | 'slow'>;

interface Suspect {
  readonly suspicion: Suspicion;
  /** What stands still as long as the suspicion holds, or does not grow enough. */
  readonly mark: number;
  readonly since: number;
}

/** A time-out is noticed late by at most two such parts of itself, and by at most two seconds. */
const SWEEPS_A_TIMEOUT = 8;
const SWEEP_MIN_MS = 20;
const SWEEP_MAX_MS = 1000;
const ENDED_EVERY_MIN_MS = 1;
/** Who makes room makes more than is needed now, so that not every turn has to. */
const ROOM_MADE = 1 / 16;

/** Limits that no session can see by itself: how long a client may do nothing, and how much all may hold together.
 *
 *  A sweep looks for clients that stand still (idle, in the middle of a request, not reading). Memory is counted as it
 *  comes and goes; over the limit, the sessions that hold most are closed at the end of the turn.
 *  Bounds: `memoryBytes` and what one turn brings. Cost: O(sessions) a sweep, and each time that room must be made.
 *  Source: `timeout` of Redis; `maxmemory-clients` of Redis 7, which picks the same victims. */
export class ClientLimits implements EndOfTurn {
  isListed = false;
  readonly #options: ClientLimitOptions;
  readonly #registry: SessionRegistry;
  readonly #stats: SessionStats;
  readonly #clock: Clock;
  readonly #suspects = new WeakMap<Session, Suspect>();
  readonly #due = new Fifo<Session>();
  readonly #timeouts: Readonly<Record<Suspicion, number>>;
  #periodMs = 0;
  #stop: (() => void) | undefined;

  constructor(
    options: ClientLimitOptions,
    registry: SessionRegistry,
    parts: { stats: SessionStats; clock: Clock },
  ) {
    this.#options = options;
    this.#registry = registry;
    this.#stats = parts.stats;
    this.#clock = parts.clock;
    const { idleTimeoutMs, requestTimeoutMs, slowTimeoutMs } = options;
    this.#timeouts = { idle: idleTimeoutMs, request: requestTimeoutMs, slow: slowTimeoutMs };
  }

  start(): void {
    const shortest = Math.min(...Object.values(this.#timeouts).filter((timeoutMs) => timeoutMs > 0));
    this.#periodMs = Math.min(SWEEP_MAX_MS, Math.max(SWEEP_MIN_MS, shortest / SWEEPS_A_TIMEOUT));
    this.#stop ??= this.#clock.every(this.#periodMs, () => this.#sweep());
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** A session holds so much more, or less. Units: bytes. */
  changed(by: number): void {
    this.#stats.heldBytes += by;
    if (by > 0 && this.#isOver) atEndOfTurn(this);
  }

  endTurn(): void {
    if (this.#isOver) this.#makeRoom(this.#options.memoryBytes * (1 - ROOM_MADE));
  }

  get #isOver(): boolean {
    const { memoryBytes } = this.#options;
    return memoryBytes > 0 && this.#stats.heldBytes > memoryBytes;
  }

  #makeRoom(target: number): void {
    const { memoryBytes } = this.#options;
    const holders = [...this.#registry.all()].toSorted((a, b) => b.footprint.bytes - a.footprint.bytes);
    // What a client that is dismissed holds is free only when it is gone.
    let left = this.#stats.heldBytes;
    for (const session of holders) {
      if (left <= target) return;
      const { footprint, queue, outstanding } = session;
      const { bytes, unread } = footprint;
      left -= bytes;
      const why = `it holds ${bytes} bytes, the most while all hold more than ${memoryBytes}`;
      if (queue.length > 0 || outstanding > 0 || unread > 0) session.close('memory', why);
      else dismiss(session, 'memory', why, { code: 'CLIENTS_MEMORY', bytes: memoryBytes });
    }
  }

  #sweep(): void {
    // Those of the last one are still being closed, and would be found again.
    if (this.#due.length > 0) return;
    const now = this.#clock.now();
    for (const session of this.#registry.all()) {
      session.footprint.count();
      const suspicion = this.#suspicionOf(session);
      if (suspicion === undefined) this.#suspects.delete(session);
      else if (this.#isDue(session, suspicion, now)) this.#due.push(session);
    }
    this.#endNext(Math.max(ENDED_EVERY_MIN_MS, this.#periodMs / (this.#due.length + 1)));
  }

  /** One after the other until the next sweep: to close a client takes as long as to answer a dozen others, which would wait for
   *  all of them. */
  #endNext(everyMs: number): void {
    const session = this.#due.shift();
    if (session === undefined) return;
    // It may have gone on, or gone, meanwhile.
    const suspicion = session.isClosed ? undefined : this.#suspicionOf(session);
    if (suspicion !== undefined && this.#isDue(session, suspicion, this.#clock.now())) {
      this.#end(session, suspicion);
    }
    this.#clock.after(everyMs, () => this.#endNext(everyMs));
  }

  #suspicionOf(session: Session): Suspicion | undefined {
    const { slow, request, idle } = this.#timeouts;
    if (slow > 0 && session.footprint.unread > 0) return 'slow';
    if (request > 0 && session.footprint.isMidRequest) return 'request';
    return idle > 0 && isIdle(session) ? 'idle' : undefined;
  }

  /** Has what it is suspected of lasted for too long? */
  #isDue(session: Session, suspicion: Suspicion, now: number): boolean {
    const mark = suspicion === 'slow' ? session.footprint.progress : session.lastActiveAt;
    const known = this.#suspects.get(session);
    if (
      known === undefined ||
      known.suspicion !== suspicion ||
      this.#hasGoneOn(suspicion, mark - known.mark)
    ) {
      this.#suspects.set(session, { suspicion, mark, since: now });
      return false;
    }
    return now - known.since >= this.#timeouts[suspicion];
  }

  #hasGoneOn(suspicion: Suspicion, by: number): boolean {
    return suspicion === 'slow' ? by >= this.#options.slowBytes : by !== 0;
  }

  #end(session: Session, suspicion: Suspicion): void {
    const ms = this.#timeouts[suspicion];
    this.#suspects.delete(session);
    switch (suspicion) {
      case 'slow': {
        const { unread } = session.footprint;
        const { slowBytes } = this.#options;
        const why = `does not read: ${unread} bytes of replies wait, and fewer than ${slowBytes} left in ${ms} ms`;
        return session.close('slow', why);
      }
      case 'request': {
        const why = `sent a part of a request and nothing more in ${ms} ms`;
        return dismiss(session, 'request', why, { code: 'REQUEST_TIMEOUT', ms });
      }
      case 'idle':
        return dismiss(session, 'idle', `asked nothing in ${ms} ms`);
    }
  }
}

/** Waits for nothing, and nothing comes to it by itself: Redis spares the same ones. */
function isIdle({ queue, outstanding, pin, subscription }: Session): boolean {
  return queue.length === 0 && outstanding === 0 && !subscription.isActive && pin.sticky.relay === undefined;
}

/** Close a session that may still be listening: behind its replies, with a last word. */
function dismiss(
  session: Session,
  reason: SessionCloseReason,
  why: string,
  lastWord?: { code: ErrorCode } & Record<string, string | number>,
): void {
  session.context.log.info(
    { sessionId: session.id, address: session.address, reason: why },
    'session closed',
  );
  if (lastWord !== undefined) session.answerError(lastWord.code, lastWord);
  session.endAfterReplies(reason);
}
