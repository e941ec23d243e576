import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

import { Fifo } from '../../src/base/fifo.ts';
import { paced, type PaceClock, TickClock } from '../load/pace.ts';
import { encode } from '../load/request.ts';
import { newHistogram, percentilesOf, recordMs } from '../report/percentiles.ts';
import { keysByShard } from '../ring/keys-by-shard.ts';
import { seededRandom } from '../workload/seeded-random.ts';
import { AnswerReader, errorKind, outcomeOf } from './answer-reader.ts';
import {
  COLD_KEYS,
  HOT_KEYS,
  type LoadReport,
  machineMs,
  type Outcome,
  packSent,
  type PausePlan,
  type RequestKind,
  type Sent,
  SHARD_NAMES,
  valueOfKey,
} from './pause-plan.ts';

const SEED = 1;
const HOT_SHARE = 0.4;
const WRITE_SHARE = 0.2;
/** Longer than any time-out of nearcache. */
const ANSWER_WITHIN_MS = 15_000;
const FILLED_AT_ONCE = 500;

interface Prepared {
  readonly bytes: Buffer;
  readonly expected: Buffer;
}

/** What is asked of one shard, and over what. Shape: reads of hot keys have connections of their own, since a read that the near-cache
 *  answers would wait there behind one that it does not. */
interface ShardLoad {
  readonly requests: Readonly<Record<RequestKind, readonly Prepared[]>>;
  readonly links: Readonly<Record<RequestKind, readonly Link[]>>;
}

type Waiting = { -readonly [field in keyof Sent]: Sent[field] } & { readonly expected: Buffer };

/** Sends requests to all shards at a fixed rate, whatever becomes of them, and writes down when each was due, sent and answered. */
export class PauseLoad {
  readonly #plan: PausePlan;
  readonly #shards: readonly ShardLoad[];
  readonly #random = seededRandom(SEED);
  #lag = newHistogram();
  readonly #ticks: TickClock;
  readonly #clock: PaceClock;
  #sent: Waiting[] = [];
  #turn = 0;
  readonly #errors: Record<string, number> = {};
  #closed = 0;

  constructor(plan: PausePlan) {
    this.#plan = plan;
    this.#ticks = new TickClock(plan.rate, (ms) => recordMs(this.#lag, ms));
    this.#clock = { now: machineMs, sleep: () => this.#ticks.sleep() };
    const [hot, cold] = [
      keysByShard(SHARD_NAMES, HOT_KEYS, 'hot:'),
      keysByShard(SHARD_NAMES, COLD_KEYS, 'cold:'),
    ];
    this.#shards = SHARD_NAMES.map((_, shard) => this.#shardLoad(shard, hot[shard] ?? [], cold[shard] ?? []));
  }

  /** Reads all keys, so that the near-cache is full, and sends at the rate for a while. */
  async warm(): Promise<void> {
    const links = this.#shards.flatMap((shard) => [...shard.links.hot, ...shard.links.cold]);
    await Promise.all(links.map((link) => once(link.socket, 'connect')));
    for (const kind of ['cold', 'hot', 'hot'] as const) {
      for (const shard of this.#shards.keys()) await this.#readAll(shard, kind);
    }
    await paced(this.#plan.rate, this.#plan.warmSeconds, this.#clock, (dueAt) => this.#sendOne(dueAt));
    await this.#allAnswered();
    const failed = this.#sent.find(({ outcome }) => outcome !== 'right');
    if (failed !== undefined) throw new Error(`before the pause: ${JSON.stringify(this.#errors)}`);
  }

  async run(): Promise<LoadReport> {
    [this.#sent, this.#lag] = [[], newHistogram()];
    await paced(this.#plan.rate, this.#plan.seconds, this.#clock, (dueAt) => this.#sendOne(dueAt));
    await this.#allAnswered();
    this.#ticks.close();
    return {
      requests: this.#sent.flatMap(packSent),
      errors: this.#errors,
      closed: this.#closed,
      lagMs: percentilesOf(this.#lag).p99,
    };
  }

  #shardLoad(shard: number, hot: readonly string[], cold: readonly string[]): ShardLoad {
    const half = Math.max(1, this.#plan.connections >> 1);
    const links = Array.from({ length: 2 * half }, (_, i) => this.#link(shard * 2 * half + i));
    const [forHot, forRest] = [links.slice(0, half), links.slice(half)];
    return {
      requests: { hot: hot.map(get), cold: cold.map(get), write: cold.map(set) },
      links: { hot: forHot, cold: forRest, write: forRest },
    };
  }

  #link(number: number): Link {
    return new Link(this.#plan.port, number, {
      failed: (reply) => {
        const kind = errorKind(reply);
        this.#errors[kind] = (this.#errors[kind] ?? 0) + 1;
      },
      closed: () => {
        this.#closed++;
      },
    });
  }

  async #readAll(shard: number, kind: RequestKind): Promise<void> {
    const { requests, links } = this.#shards[shard] as ShardLoad;
    for (const [i, request] of requests[kind].entries()) {
      this.#send(links[kind][0] as Link, request, { shard, kind, dueAt: machineMs() });
      if (i % FILLED_AT_ONCE === FILLED_AT_ONCE - 1) await this.#allAnswered();
    }
    await this.#allAnswered();
  }

  #sendOne(dueAt: number): void {
    const shard = Math.floor(this.#random() * this.#shards.length);
    const { requests, links } = this.#shards[shard] as ShardLoad;
    const dice = this.#random();
    const kind = dice < HOT_SHARE ? 'hot' : dice < HOT_SHARE + WRITE_SHARE ? 'write' : 'cold';
    const request = requests[kind][Math.floor(this.#random() * requests[kind].length)] as Prepared;
    const link = links[kind][this.#turn++ % links[kind].length] as Link;
    this.#send(link, request, { shard, kind, dueAt });
  }

  #send(link: Link, request: Prepared, what: Pick<Sent, 'shard' | 'kind' | 'dueAt'>): void {
    const waiting: Waiting = {
      ...what,
      connection: link.number,
      sentAt: machineMs(),
      doneAt: Number.NaN,
      outcome: 'none',
      expected: request.expected,
    };
    this.#sent.push(waiting);
    link.send(request.bytes, waiting);
  }

  async #allAnswered(): Promise<void> {
    const deadline = machineMs() + ANSWER_WITHIN_MS;
    const links = this.#shards.flatMap((shard) => [...shard.links.hot, ...shard.links.cold]);
    while (links.some((link) => link.outstanding > 0) && machineMs() < deadline) await this.#clock.sleep();
  }
}

function get(key: string): Prepared {
  const value = valueOfKey(key);
  return { bytes: encode(['GET', key]), expected: Buffer.from(`$${value.length}\r\n${value}\r\n`, 'latin1') };
}

function set(key: string): Prepared {
  return { bytes: encode(['SET', key, valueOfKey(key)]), expected: Buffer.from('+OK\r\n', 'latin1') };
}

interface LinkEvents {
  failed(reply: Buffer): void;
  closed(): void;
}

/** One connection of the load. */
class Link {
  readonly socket: Socket;
  readonly number: number;
  readonly #reader = new AnswerReader();
  readonly #waiting = new Fifo<Waiting>();

  constructor(port: number, number: number, events: LinkEvents) {
    this.number = number;
    this.socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) =>
      this.#reader.feed(chunk, (reply) => {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) throw new Error('a reply that nobody asked for');
        waiting.doneAt = machineMs();
        waiting.outcome = outcomeOf(reply, waiting.expected) satisfies Outcome;
        if (waiting.outcome !== 'right') events.failed(reply);
      }),
    );
    // `close` follows, and counts.
    this.socket.on('error', () => {});
    this.socket.on('close', () => events.closed());
  }

  get outstanding(): number {
    return this.#waiting.length;
  }

  send(bytes: Buffer, waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.socket.write(bytes);
  }
}
