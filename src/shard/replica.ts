import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { MINUS } from '../protocol/bytes.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Backoff } from './backoff.ts';
import { OwnCall } from './call.ts';
import type { ShardAddress } from './connection.ts';
import { RoundTrip } from './round-trip.ts';
import type { Shard } from './shard.ts';
import { ShardStats } from './shard-stats.ts';
import { ANY_DB, SharedConnection } from './shared-connection.ts';

const READONLY = encodeRequest(['READONLY']);
const INFO = encodeRequest(['INFO', 'replication']);
/** How often a replica is asked whether it hears from its primary. */
const ASK_MS = 2000;

/** What it has said of its link to the primary. */
type Standing = 'unknown' | 'follows' | 'is cut off';

/** One replica of a shard: a connection as the sidecar's own user, for reads whose answers are never kept.
 *  How far it is behind its primary nobody can know here. It is left alone while it says that it has lost its primary, is one
 *  itself, or has not answered a heartbeat within `maxStalenessMs`.
 *  Units: ms of the monotonic clock. */
export class Replica {
  /** host:port. */
  readonly name: string;
  readonly link: SharedConnection;
  /** Of this connection alone. */
  readonly stats: ShardStats = new ShardStats();
  /** Reads may be sent to it; kept by `Replicas`. */
  isUp = false;
  /** Reads that it was sent. */
  reads = 0;
  /** Those that were then sent to the primary, since it gave no answer but an error. */
  retried = 0;
  readonly #shard: Shard;
  readonly #roundTrip: RoundTrip;
  readonly #changed: () => void;
  #standing: Standing = 'unknown';
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Its user may not ask: asking again would fill Redis's ACL LOG. */
  #mayAsk = true;

  /** `changed`: whether it can be used may be another answer now. */
  constructor(
    shard: Shard,
    address: ShardAddress,
    parts: { clock: Clock; backoff: Backoff; log: Logger; changed: () => void },
  ) {
    const { options } = shard;
    this.name = `${address.host}:${address.port}`;
    this.#shard = shard;
    this.#changed = parts.changed;
    this.#roundTrip = new RoundTrip(this.stats);
    const log = parts.log.child({ address: this.name });
    this.link = new SharedConnection(
      {
        address: () => address,
        credentials: options.credentials,
        tracks: false,
        connectTimeoutMs: options.connectTimeoutMs,
        knownServer: () => shard.identities.server,
        heartbeatMs: options.maxStalenessMs / 4,
        inFlightMax: options.inFlightMax,
        queueTimeoutMs: options.queueTimeoutMs,
      },
      {
        clock: parts.clock,
        backoff: parts.backoff,
        stats: this.stats,
        log,
        listener: {
          invalidated: () => undefined,
          ready: (link) => {
            log.info('replica is up');
            this.#begin(link, parts.clock.now());
          },
          lost: (link, reason) => {
            if (link.state === 'ready') log.warn({ reason }, 'replica was lost');
            this.#changed();
          },
        },
      },
    );
  }

  /** Of a heartbeat, smoothed; infinite before the first. */
  get roundTripSeconds(): number {
    return this.#roundTrip.seconds;
  }

  /** May it be sent reads? */
  isUsable(now: number): boolean {
    const { link } = this;
    return (
      link.isReady &&
      link.generation.isAlive &&
      link.server?.isPrimary === false &&
      this.#standing === 'follows' &&
      now - link.generation.freshAt <= this.#shard.options.maxStalenessMs
    );
  }

  tick(now: number): void {
    const { linkDeadMs } = this.#shard.options;
    this.link.tick(now);
    this.#roundTrip.update();
    if (this.link.isSilent(now, linkDeadMs)) this.link.reset(`no byte received for ${linkDeadMs} ms`);
    if (this.#mayAsk && this.link.isReady && now - this.#askedAt >= ASK_MS) this.#ask(this.link, now);
  }

  /** A new connection, before anything else is sent on it. */
  #begin(link: SharedConnection, now: number): void {
    this.#standing = 'unknown';
    this.#mayAsk = true;
    if (link.server?.isCluster === true) {
      link.submit(new OwnCall(() => undefined), READONLY, 0, READONLY.length, ANY_DB);
    }
    this.#ask(link, now);
  }

  #ask(link: SharedConnection, now: number): void {
    this.#askedAt = now;
    const { generation } = link;
    const call = new OwnCall((reply) => {
      if (reply !== undefined && link.generation === generation) this.#heard(reply);
    });
    call.sentAt = now;
    link.submit(call, INFO, 0, INFO.length, ANY_DB);
  }

  #heard(reply: Buffer): void {
    const isRefused = reply[0] === MINUS;
    if (isRefused) this.#mayAsk = false;
    const follows = isRefused || reply.includes('master_link_status:up');
    this.#standing = follows ? 'follows' : 'is cut off';
    this.#changed();
  }
}
