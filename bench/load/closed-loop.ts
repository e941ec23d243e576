/** The load generator behind the mixed load: connections that each send a request as soon as the one before is answered,
 *  reads and writes by chance on keys of a Zipf distribution. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

import type { Random } from '../../src/base/random.ts';
import { seededRandom } from '../workload/seeded-random.ts';
import { zipf } from '../workload/zipf.ts';
import { nextTurn } from '../worker.ts';
import { type KeyedRequests, keyedRequests, written } from './mixed-request.ts';
import { descriptorOf, PollSet, receive, sendSome } from './poll-sockets.ts';
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
const closed = 'the target closed a connection';
/** For so long the event loop waits while the load serves its connections. */
const sliceMs = 20;

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
  readonly #plan: ClosedLoopPlan;
  readonly #requests: readonly KeyedRequests[];
  readonly #random: Random;
  readonly #nextKey: () => number;
  readonly #polled = new PollSet();
  #sockets: readonly Socket[] = [];
  #links: readonly Link[] = [];
  #isChanged = true;
  #isDraining = false;
  #outstanding = 0;

  constructor(plan: ClosedLoopPlan) {
    this.#plan = plan;
    this.#requests = keyNames(plan.keys).map((key) => keyedRequests(key, plan.size));
    this.#random = seededRandom(plan.seed);
    this.#nextKey = zipf(plan.keys, plan.exponent, this.#random);
  }

  async connect(): Promise<void> {
    const { port, connections } = this.#plan;
    const address = { host: '127.0.0.1', port, noDelay: true };
    this.#sockets = Array.from({ length: connections }, () => createConnection(address).pause());
    await Promise.all(this.#sockets.map((socket) => once(socket, 'connect')));
    const changed = (): void => {
      this.#isChanged = true;
    };
    this.#links = this.#sockets.map((socket) => new Link(descriptorOf(socket), changed));
    for (const link of this.#links) this.#sendOne(link);
  }

  /** Lets the connections go on for a while. */
  async go(seconds: number): Promise<void> {
    await this.#serveUntil(performance.now() + seconds * 1000);
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#serveUntil(performance.now() + answerWithinMs);
    if (this.#outstanding > 0) throw new Error('replies are missing 5 s after the end');
  }

  close(): void {
    this.#polled.close();
    for (const socket of this.#sockets) socket.on('error', () => {}).destroy();
  }

  /** Or until nothing is to be waited for. */
  async #serveUntil(end: number): Promise<void> {
    for (let now = performance.now(); now < end && this.#outstanding > 0; now = performance.now()) {
      this.#serve(Math.min(end, now + sliceMs));
      await nextTurn();
    }
  }

  #serve(until: number): void {
    for (let now = performance.now(); now < until && this.#outstanding > 0; now = performance.now()) {
      if (this.#isChanged) this.#pollAnew();
      const ready = this.#polled.wait(until - now);
      for (let i = 0; i < ready; i++) {
        const link = this.#links[this.#polled.placeOf(i)] as Link;
        if (this.#polled.isWritable(i)) link.sendRest();
        if (this.#polled.isReadable(i) && link.receive()) this.#answered(link);
      }
    }
  }

  #pollAnew(): void {
    this.#isChanged = false;
    this.#polled.fill(this.#links);
  }

  #answered(link: Link): void {
    this.answered++;
    this.#outstanding--;
    if (!this.#isDraining) this.#sendOne(link);
  }

  #sendOne(link: Link): void {
    this.#outstanding++;
    const { get, set, got } = this.#requests[this.#nextKey()] as KeyedRequests;
    if (this.#random() < this.#plan.readShare) {
      link.ask(get, got);
    } else {
      this.writes++;
      link.ask(set, written);
    }
  }
}

/** Replies are compared at once, so one buffer serves all connections. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** One connection of the load, with at most one request under way. */
class Link {
  readonly fd: number;
  readonly reads = true;
  /** What the kernel did not take of the request yet. */
  #rest: Buffer = readBuffer.subarray(0, 0);
  #expected: Buffer = written;
  /** How much of the reply has come. */
  #at = 0;
  /** What is waited for is not what it was. */
  readonly #changed: () => void;

  constructor(fd: number, changed: () => void) {
    this.fd = fd;
    this.#changed = changed;
  }

  get writes(): boolean {
    return this.#rest.length > 0;
  }

  ask(request: Buffer, expected: Buffer): void {
    [this.#expected, this.#at] = [expected, 0];
    const taken = sendSome(this.fd, request);
    if (taken === 'broken') throw new Error(closed);
    if (taken < request.length) this.#keep(request.subarray(taken));
  }

  sendRest(): void {
    const taken = sendSome(this.fd, this.#rest);
    if (taken === 'broken') throw new Error(closed);
    this.#keep(this.#rest.subarray(taken));
  }

  /** Takes what has come, and returns whether that completes the reply. */
  receive(): boolean {
    const length = receive(this.fd, readBuffer);
    if (length === 'nothing') return false;
    if (length === 'broken' || length === 0) throw new Error(closed);
    const expected = this.#expected;
    const end = this.#at + length;
    if (end > expected.length || readBuffer.compare(expected, this.#at, end, 0, length) !== 0) {
      const text = readBuffer.toString('latin1', 0, Math.min(length, 80));
      throw new Error(`unexpected reply: ${JSON.stringify(text)}`);
    }
    this.#at = end;
    return end === expected.length;
  }

  #keep(rest: Buffer): void {
    this.#rest = rest;
    this.#changed();
  }
}
