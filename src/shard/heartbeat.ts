import type { Clock } from '../base/clock.ts';
import type { Generation } from '../cache/generation.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { parseReply } from '../protocol/reply-parser.ts';
import { OwnCall } from './call.ts';
import type { Connection } from './connection.ts';
import type { ShardStats } from './shard-stats.ts';

/** HELLO without arguments: permitted to every user, and tells the role. */
const HELLO = encodeRequest(['HELLO']);

/** Asks a usable link again and again whether it delivers. An answer proves that every invalidation Redis had sent before the
 *  question was asked has been processed (coherence spec R9); another role than before ends the link, since a replica is no
 *  source (R11), and one that was promoted is. One question is out at a time: behind a large reply it comes late, and freshness ends meanwhile.
 *  Units: ms of the monotonic clock. */
export class Heartbeat {
  #connection: Connection;
  #generation: Generation;
  #isPrimary: boolean;
  #periodMs: number;
  #clock: Clock;
  #stats: ShardStats;
  #sentAt: number;
  #isOut = false;

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
    if (this.#isOut || now - this.#sentAt < this.#periodMs) return;
    this.#isOut = true;
    this.#sentAt = now;
    const call = new OwnCall((reply) => {
      this.#isOut = false;
      if (reply !== undefined) this.#answered(reply);
    });
    this.#connection.send(call, HELLO, 0, HELLO.length);
  }

  #answered(reply: Buffer): void {
    const hello = parseReply(reply, 0, reply.length);
    if (!(hello instanceof Map)) return;
    this.#stats.heartbeats++;
    this.#stats.heartbeatSeconds += (this.#clock.now() - this.#sentAt) / 1000;
    if ((hello.get('role') === 'master') !== this.#isPrimary) {
      this.#connection.destroy('its role has changed');
    } else {
      this.#generation.freshAt = this.#sentAt;
    }
  }
}
