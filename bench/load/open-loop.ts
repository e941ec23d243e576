/** The load generator behind the percentiles: it sends at a fixed rate whatever the target does, so a target that stalls
 *  is charged for every request that it kept waiting (a closed loop would stop asking and hide the stall). */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { Histogram } from 'hdr-histogram-js';

import { Fifo } from '../../src/base/fifo.ts';
import { newHistogram, recordMs } from '../report/percentiles.ts';
import { paced, TickClock } from './pace.ts';
import { ReplyChecker } from './reply-checker.ts';
import type { Batch } from './request.ts';

/** What to send. Units: `batchesPerSecond` over all connections together. */
export interface OpenLoopPlan {
  readonly port: number;
  readonly connections: number;
  readonly batches: readonly Batch[];
  /** What each request must be answered with. */
  readonly reply: Buffer;
  readonly batchesPerSecond: number;
  readonly seconds: number;
  /** Sent before, at the same rate, and not recorded. */
  readonly warmUpSeconds: number;
  /** Hears of each batch that is recorded, too, and when it was sent (performance.now()). */
  readonly onLatency?: (ms: number, sentAt: number) => void;
}

/** What was seen.
 *  Shape: `latency` holds one value a batch, from the write to its last reply byte; `sendLag` one value a tick, how much
 *  later than planned the generator itself woke up. */
export interface OpenLoopOutcome {
  readonly latency: Histogram;
  readonly sendLag: Histogram;
}

/** Runs the plan once.
 *  Errors: rejects when a connection fails, a reply is wrong, or replies are missing 5 seconds after the end. */
export async function runOpenLoop(plan: OpenLoopPlan): Promise<OpenLoopOutcome> {
  const loop = new OpenLoop(plan);
  try {
    await loop.connect();
    await loop.send(plan.warmUpSeconds);
    await loop.drain();
    const outcome = loop.record();
    await loop.send(plan.seconds);
    await loop.drain();
    return outcome;
  } finally {
    loop.close();
  }
}

class OpenLoop {
  readonly #plan: OpenLoopPlan;
  readonly #links: Link[];
  readonly #clock: TickClock;
  #failure: Error | undefined;
  #outcome: OpenLoopOutcome = { latency: newHistogram(), sendLag: newHistogram() };
  #isRecording = false;
  #nextLink = 0;
  #nextBatch = 0;

  constructor(plan: OpenLoopPlan) {
    this.#plan = plan;
    this.#clock = new TickClock(plan.batchesPerSecond, (ms) => recordMs(this.#outcome.sendLag, ms));
    const onLatency = (ms: number, sentAt: number): void => {
      recordMs(this.#outcome.latency, ms);
      if (this.#isRecording) plan.onLatency?.(ms, sentAt);
    };
    const onFailure = (error: Error): void => {
      this.#failure ??= error;
    };
    this.#links = Array.from({ length: plan.connections }, () => new Link(plan, onLatency, onFailure));
  }

  async connect(): Promise<void> {
    await Promise.all(this.#links.map((link) => once(link.socket, 'connect')));
  }

  /** From now on counts into fresh histograms. */
  record(): OpenLoopOutcome {
    this.#isRecording = true;
    this.#outcome = { latency: newHistogram(), sendLag: newHistogram() };
    return this.#outcome;
  }

  async send(seconds: number): Promise<void> {
    const clock = { now: () => this.#clock.now(), sleep: () => this.#tick() };
    await paced(this.#plan.batchesPerSecond, seconds, clock, () => this.#sendOne());
  }

  async drain(): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (this.#links.some((link) => link.outstanding > 0)) {
      await this.#tick();
      if (performance.now() > deadline) throw new Error('replies are missing 5 s after the last request');
    }
  }

  close(): void {
    for (const link of this.#links) link.close();
    this.#clock.close();
  }

  async #tick(): Promise<void> {
    await this.#clock.sleep();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #sendOne(): void {
    const { batches } = this.#plan;
    const link = this.#links[this.#nextLink++ % this.#links.length] as Link;
    link.send(batches[this.#nextBatch++ % batches.length] as Batch);
  }
}

/** One connection of the load. */
class Link {
  readonly socket: Socket;
  readonly #checker: ReplyChecker;
  readonly #sent = new Fifo<{ at: number; missing: number }>();
  readonly #onLatency: (ms: number, sentAt: number) => void;

  constructor(
    plan: OpenLoopPlan,
    onLatency: (ms: number, sentAt: number) => void,
    onFailure: (error: Error) => void,
  ) {
    this.#checker = new ReplyChecker(plan.reply);
    this.#onLatency = onLatency;
    this.socket = createConnection({ host: '127.0.0.1', port: plan.port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => {
      try {
        this.#receive(chunk);
      } catch (error) {
        onFailure(error as Error);
      }
    });
    this.socket.on('error', onFailure);
    this.socket.on('close', () => onFailure(new Error('the target closed a connection')));
  }

  /** Batches without their last reply. */
  get outstanding(): number {
    return this.#sent.length;
  }

  send(batch: Batch): void {
    this.#sent.push({ at: performance.now(), missing: batch.requests });
    this.socket.write(batch.bytes);
  }

  close(): void {
    this.socket.removeAllListeners('close').destroy();
  }

  #receive(chunk: Buffer): void {
    let replies = this.#checker.feed(chunk);
    while (replies > 0) {
      const head = this.#sent.peek();
      if (head === undefined) throw new Error('a reply that nobody asked for');
      const taken = Math.min(replies, head.missing);
      head.missing -= taken;
      replies -= taken;
      if (head.missing > 0) return;
      this.#sent.shift();
      this.#onLatency(performance.now() - head.at, head.at);
    }
  }
}
