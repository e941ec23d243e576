import type { Clock } from '../base/clock.ts';
import type { Generation } from '../cache/generation.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { parseReply } from '../protocol/reply-parser.ts';
import { OwnCall } from './call.ts';
import type { Connection } from './connection.ts';
import type { ShardStats } from './shard-stats.ts';

/** HELLO without arguments: permitted to every user, and tells the role. */
const HELLO = encodeRequest(['HELLO']);

/** Questions that may be out at once. With `heartbeatMs` a quarter of `maxStalenessMs`, the answer to an older one proves nothing. */
const OUT_MAX = 4;

/** Asks a usable link again and again whether it delivers. An answer proves that every invalidation Redis had sent before the
 *  question was asked has been processed (coherence spec R9); another role than before ends the link, since a replica is no
 *  source (R11), and one that was promoted is. The next question does not wait for the answer to the last, so that a link of a long
 *  round trip is as fresh as that allows; behind a large reply the answers come late, and freshness ends meanwhile.
 *  Units: ms of the monotonic clock. Bounds: OUT_MAX. */
export class Heartbeat {
  #connection: Connection;
  #generation: Generation;
  #isPrimary: boolean;
  #periodMs: number;
  #clock: Clock;
  #stats: ShardStats;
  #sentAt: number;
  #out = 0;

  constructor(
    connection: Connection,
    generation: Generation,
    isPrimary: boolean,
    periodMs: number,
    parts: { clock: Clock; stats: ShardStats },
  ) {
    this.#connection = connection;
    this.#generation = generation;
    this.#isPrimary = isPrimary;
    this.#periodMs = periodMs;
    this.#clock = parts.clock;
    this.#stats = parts.stats;
    this.#sentAt = generation.freshAt;
  }

  tick(now: number): void {
    if (this.#out === OUT_MAX || now - this.#sentAt < this.#periodMs) return;
    this.#out++;
    this.#sentAt = now;
    const call = new OwnCall((reply) => {
      this.#out--;
      if (reply !== undefined) this.#answered(reply, now);
    });
    this.#connection.send(call, HELLO, 0, HELLO.length);
  }

  #answered(reply: Buffer, sentAt: number): void {
    const hello = parseReply(reply, 0, reply.length);
    if (!(hello instanceof Map)) return;
    this.#stats.heartbeats++;
    const tookMs = this.#clock.now() - sentAt;
    this.#stats.heartbeatSeconds += tookMs / 1000;
    if ((hello.get('role') === 'master') !== this.#isPrimary) {
      this.#connection.destroy('its role has changed');
    } else {
      this.#generation.freshAt = sentAt;
      this.#generation.roundTripMs = tookMs;
    }
  }
}
