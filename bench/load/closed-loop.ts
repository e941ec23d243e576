/** The load generator behind the mixed load: connections that each send a request as soon as the one before is answered,
 *  reads and writes by chance on keys of a Zipf distribution. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../src/base/random.ts';
import { seededRandom } from '../workload/seeded-random.ts';
import { zipf } from '../workload/zipf.ts';
import { type KeyedRequests, keyedRequests, written } from './mixed-request.ts';
import { keyNames } from './request.ts';

/** What to send. Shape: `keys` is how many there are, the first is the most popular. */
export interface ClosedLoopPlan {
  readonly port: number;
  readonly connections: number;
  readonly keys: number;
  readonly size: number;
  /** How many of all requests are reads, 0 to 1. */
  readonly readShare: number;
  readonly exponent: number;
  readonly seed: number;
  readonly seconds: number;
  /** Sent before and not measured. */
  readonly warmUpSeconds: number;
}

/** What was done. Shape: `requests` and `writes` are those of the warm-up too, `operationsPerSecond` and `cpuShare` are of
 *  the measured time alone. Units: `cpuShare` of one core, user and system time of this process. */
export interface ClosedLoopOutcome {
  readonly requests: number;
  readonly writes: number;
  readonly operationsPerSecond: number;
  readonly cpuShare: number;
}

const answerWithinMs = 5_000;

/** Runs the plan once. Every reply is compared byte for byte.
 *  Errors: rejects when a connection fails, a reply is wrong, or replies are missing 5 seconds after the end. */
export async function runClosedLoop(plan: ClosedLoopPlan): Promise<ClosedLoopOutcome> {
  const load = new ClosedLoop(plan);
  try {
    await load.connect();
    await load.go(plan.warmUpSeconds);
    const [start, from, cpu] = [performance.now(), load.answered, process.cpuUsage()];
    await load.go(plan.seconds);
    const ms = performance.now() - start;
    const [operations, { user, system }] = [load.answered - from, process.cpuUsage(cpu)];
    await load.drain();
    return {
      requests: load.answered,
      writes: load.writes,
      operationsPerSecond: (operations / ms) * 1000,
      cpuShare: (user + system) / 1000 / ms,
    };
  } finally {
    load.close();
  }
}

class ClosedLoop {
  answered = 0;
  writes = 0;
  readonly #requests: readonly KeyedRequests[];
  readonly #readShare: number;
  readonly #random: Random;
  readonly #nextKey: () => number;
  readonly #links: readonly Link[];
  readonly #failed = Promise.withResolvers<never>();
  #isDraining = false;
  #outstanding = 0;

  constructor(plan: ClosedLoopPlan) {
    this.#requests = keyNames(plan.keys).map((key) => keyedRequests(key, plan.size));
    this.#readShare = plan.readShare;
    this.#random = seededRandom(plan.seed);
    this.#nextKey = zipf(plan.keys, plan.exponent, this.#random);
    // Whoever waits hears of it; in between nobody has to.
    this.#failed.promise.catch(() => {});
    const events: LinkEvents = {
      answered: (link) => this.#answered(link),
      failed: (error) => this.#failed.reject(error),
    };
    this.#links = Array.from({ length: plan.connections }, () => new Link(plan.port, events));
  }

  async connect(): Promise<void> {
    await this.#orFailure(Promise.all(this.#links.map((link) => once(link.socket, 'connect'))));
    for (const link of this.#links) this.#sendOne(link);
  }

  /** Lets the connections go on for a while. */
  async go(seconds: number): Promise<void> {
    await this.#orFailure(delay(seconds * 1000));
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    const deadline = performance.now() + answerWithinMs;
    while (this.#outstanding > 0) {
      await this.go(0.001);
      if (performance.now() > deadline) throw new Error('replies are missing 5 s after the end');
    }
  }

  close(): void {
    for (const link of this.#links) link.close();
  }

  async #orFailure(step: Promise<unknown>): Promise<void> {
    await Promise.race([step, this.#failed.promise]);
  }

  #answered(link: Link): void {
    this.answered++;
    this.#outstanding--;
    if (!this.#isDraining) this.#sendOne(link);
  }

  #sendOne(link: Link): void {
    this.#outstanding++;
    const { get, set, got } = this.#requests[this.#nextKey()] as KeyedRequests;
    if (this.#random() < this.#readShare) {
      link.ask(get, got);
    } else {
      this.writes++;
      link.ask(set, written);
    }
  }
}

interface LinkEvents {
  answered(link: Link): void;
  failed(error: Error): void;
}

/** Replies are compared before the callback returns, so one buffer serves all connections. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** One connection of the load, with at most one request under way. */
class Link {
  readonly socket: Socket;
  readonly #events: LinkEvents;
  #expected: Buffer = written;
  /** How much of the reply has come. */
  #at = 0;

  constructor(port: number, events: LinkEvents) {
    this.#events = events;
    this.#at = this.#expected.length;
    const onread = {
      buffer: readBuffer,
      callback: (length: number): boolean => {
        this.#receive(length);
        return true;
      },
    };
    this.socket = createConnection({ host: '127.0.0.1', port, noDelay: true, onread });
    this.socket.on('error', (error) => events.failed(error));
    this.socket.on('close', () => events.failed(new Error('the target closed a connection')));
  }

  ask(request: Buffer, expected: Buffer): void {
    [this.#expected, this.#at] = [expected, 0];
    this.socket.write(request);
  }

  close(): void {
    this.socket.removeAllListeners('close').destroy();
  }

  #receive(length: number): void {
    const expected = this.#expected;
    const end = this.#at + length;
    if (end > expected.length || readBuffer.compare(expected, this.#at, end, 0, length) !== 0) {
      const text = readBuffer.toString('latin1', 0, Math.min(length, 80));
      this.#events.failed(new Error(`unexpected reply: ${JSON.stringify(text)}`));
      return;
    }
    this.#at = end;
    if (end === expected.length) this.#events.answered(this);
  }
}
