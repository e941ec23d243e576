import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { Generation } from '../cache/generation.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { type CallFailure, OwnCall } from './call.ts';
import { Connection } from './connection.ts';
import { logIn, type ServerInfo, whyUntracked } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import { PushReader } from './invalidation-push.ts';
import type { ShardStats } from './shard-stats.ts';
import type { SharedOptions } from './shared-options.ts';
import { trackLater } from './track-later.ts';

const OK_LINE = Buffer.from('+OK\r\n', 'latin1');

export interface SharedLinkOwner {
  /** Redis has shaken hands. Nothing else was sent yet; `generation` is this link's own. */
  ready(server: ServerInfo, generation: Generation): void;
  /** Redis does not want it, or cannot be used yet; `lost` follows with the same reason. */
  refused(failure: CallFailure): void;
  invalidated(keys: readonly string[] | 'all'): void;
  /** Gone; called once, also when it never was ready. Outstanding calls have been failed. */
  lost(reason: string): void;
  /** What was waiting to be written has left. */
  drained(): void;
}

export interface SharedLinkParts {
  clock: Clock;
  stats: ShardStats;
  log: Logger;
}

/** One life of a shared connection: a socket, its handshake, and all that begins and ends with it (the generation, the
 *  selected database, heartbeats, half a push). It is never opened twice: the next life is another object, so that
 *  nothing of this one can get into it.
 *  Errors: whatever goes wrong ends it, and `owner.lost` says why. */
export class SharedLink {
  /** Who may send when is the owner's business. */
  readonly connection: Connection;
  /** What commands run in that are sent now. */
  db = 0;
  /** Undefined until Redis has shaken hands. */
  heartbeat: Heartbeat | undefined;
  readonly #options: SharedOptions;
  readonly #parts: SharedLinkParts;
  readonly #owner: SharedLinkOwner;
  readonly #pushes = new PushReader();
  readonly #followsSilence: boolean;

  /** `followsSilence`: the link before it was given up since Redis said nothing on it. */
  constructor(
    options: SharedOptions,
    parts: SharedLinkParts,
    owner: SharedLinkOwner,
    followsSilence: boolean,
  ) {
    this.#options = options;
    this.#followsSilence = followsSilence;
    this.#parts = parts;
    this.#owner = owner;
    this.connection = new Connection(
      parts.clock,
      {
        opened: () => this.#opened(),
        unasked: (chunk, start, end, last) => {
          const keys = this.#pushes.read(chunk, start, end, last);
          if (keys !== undefined) owner.invalidated(keys);
        },
        lost: (reason) => owner.lost(reason),
        drained: () => owner.drained(),
      },
      parts.stats,
    );
    this.connection.outcomes = options.outcomes;
    this.connection.limit = options.limit;
  }

  open(): void {
    this.connection.connect(this.#options.address(), this.#options.connectTimeoutMs);
  }

  /** Switch the database. Only ever to one that a SELECT of this identity has confirmed, so anything but OK means that
   *  commands behind it would run in the wrong database: the link goes (DESIGN §2). */
  select(db: number): void {
    const { connection } = this;
    const bytes = encodeRequest(['SELECT', String(db)]);
    connection.send(
      new OwnCall((reply) => {
        if (reply?.equals(OK_LINE) === false)
          connection.destroy(`SELECT ${db} was refused: ${reply.toString('latin1')}`);
      }),
      bytes,
      0,
      bytes.length,
    );
    this.db = db;
  }

  #opened(): void {
    const { connection } = this;
    const options = this.#options;
    const { clock } = this.#parts;
    const startedAt = clock.now();
    const wishes = {
      clientName: options.clientName?.() ?? 'nearcache',
      tracks: options.tracks,
      hasFieldTtl: options.knownServer()?.hasFieldTtl,
      asksReady: options.asksReady === true,
      write: this.#followsSilence ? options.emptyWrite?.() : undefined,
    };
    logIn(connection, options, clock, wishes, (result) => {
      if ('server' in result) this.#ready(result.server, startedAt);
      else if (result.failure.kind !== 'lost') this.#refused(result.failure);
    });
  }

  #ready(server: ServerInfo, startedAt: number): void {
    const { connection } = this;
    const { clock, log } = this.#parts;
    const { tracks, heartbeatMs, confirmation } = this.#options;
    const generation = new Generation();
    generation.isTracking = server.isTracking && server.isPrimary && server.hasOrderedPushes;
    generation.freshAt = startedAt;
    generation.confirmation = confirmation;
    this.heartbeat = new Heartbeat(connection, generation, server.isPrimary, heartbeatMs, this.#parts);
    if (server.isTrackingBusy) {
      trackLater(clock, connection, () => {
        generation.isTracking = server.isPrimary && server.hasOrderedPushes;
      });
    }
    if (tracks && !generation.isTracking) log.warn(whyUntracked(server), 'near-cache is off on this link');
    this.#owner.ready(server, generation);
  }

  #refused(failure: CallFailure): void {
    this.#owner.refused(failure);
    this.connection.destroy(failure.reason);
  }
}
