import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { connectRaw, type RawClient } from '../support/raw-client.ts';

const PAUSE_MS = 20;
/** A well-behaved session waits no longer than this for anything. */
const REPLY_MS = 20_000;
const KEYS = 20;

/** Units: ms. */
interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What the well-behaved sessions have seen. */
export interface Statement {
  /** Of all round trips through nearcache. */
  readonly latencyMs: Percentiles;
  /** Of reads at Redis itself, meanwhile: what the machine and Redis's other work cost anybody. */
  readonly directMs: Percentiles;
  /** Reads that found nothing, because a bad client ran FLUSHALL. */
  readonly missing: number;
  readonly problems: readonly string[];
}

/** Call the witnesses. Shape: resolves once they are at work, with the way to end them and hear what they saw. */
export async function callWitness(port: number, redisPort: number): Promise<() => Promise<Statement>> {
  const process = fork(new URL('witness-process.ts', import.meta.url), [String(port), String(redisPort)], {
    execArgv: [],
  });
  await once(process, 'message');
  return async () => {
    process.send('stop');
    const [statement] = (await once(process, 'message')) as [Statement];
    return statement;
  };
}

/** Well-behaved sessions, on the same nearcache as the bad ones: a writer and readers in both protocols, a publisher and a
 *  subscriber. Values carry their key and a number that only grows. */
export class Witness {
  #latencies: number[] = [];
  #direct: number[] = [];
  #problems: string[] = [];
  #missing = 0;
  #port: number;
  #redisPort: number;
  #isOver = false;
  #written = new Map<string, number>();
  #running: Promise<void>[] = [];

  constructor(port: number, redisPort: number) {
    this.#port = port;
    this.#redisPort = redisPort;
  }

  async start(): Promise<void> {
    const [writer, reader2, reader3, publisher, subscriber] = await Promise.all(
      Array.from({ length: 5 }, () => connectRaw({ port: this.#port })),
    );
    await (reader3 as RawClient).call('HELLO', '3');
    await (subscriber as RawClient).call('SUBSCRIBE', 'witness');
    this.#running = [
      this.#readAndWrite(writer as RawClient, [reader2 as RawClient, reader3 as RawClient]),
      this.#publish(publisher as RawClient, subscriber as RawClient),
      this.#askRedis(await connectRaw({ port: this.#redisPort })),
    ].map((running) => running.catch((error: unknown) => this.#problem(String(error))));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  statement(): Statement {
    return {
      latencyMs: percentiles(this.#latencies),
      directMs: percentiles(this.#direct),
      missing: this.#missing,
      problems: this.#problems,
    };
  }

  #problem(text: string): void {
    if (this.#problems.length < 20) this.#problems.push(`a healthy session: ${text}`);
  }

  async #readAndWrite(writer: RawClient, readers: readonly RawClient[]): Promise<void> {
    for (let number = 1; !this.#isOver; number++) {
      const key = `witness:${number % KEYS}`;
      const value = `${key}=${number}=${'w'.repeat(number % 300)}`;
      const answer = await this.#timed(writer, ['SET', key, value]);
      if (answer !== '+OK\r\n') this.#problem(`SET was answered ${answer}`);
      this.#written.set(key, number);
      for (const reader of readers) {
        // Twice: the second may be a hit.
        this.#check(key, await this.#timed(reader, ['GET', key]));
        this.#check(key, await this.#timed(reader, ['GET', key]));
      }
      const other = `witness:${(number * 7) % KEYS}`;
      this.#check(other, await this.#timed(readers[number % 2] as RawClient, ['GET', other]));
      await delay(PAUSE_MS);
    }
    for (const client of [writer, ...readers]) client.close();
  }

  async #askRedis(direct: RawClient): Promise<void> {
    while (!this.#isOver) {
      await this.#timed(direct, ['GET', 'witness:0'], this.#direct);
      await delay(PAUSE_MS);
    }
    direct.close();
  }

  async #timed(client: RawClient, args: readonly string[], into = this.#latencies): Promise<string> {
    const startedAt = performance.now();
    client.request(args);
    const frame = await client.readFrame(REPLY_MS);
    into.push(performance.now() - startedAt);
    return frame.toString('latin1');
  }

  /** Its own key's value, and none older than what was written before the read. */
  #check(key: string, reply: string): void {
    if (reply === '$-1\r\n' || reply === '_\r\n') {
      if (this.#written.has(key)) this.#missing++;
      return;
    }
    const [name, number] = reply.slice(reply.indexOf('\n') + 1).split('=');
    if (name !== key) this.#problem(`GET ${key} was answered ${JSON.stringify(reply.slice(0, 100))}`);
    else if (Number(number) < (this.#written.get(key) ?? 0)) {
      this.#problem(`GET ${key} gave number ${number} after ${this.#written.get(key)} was written`);
    }
  }

  async #publish(publisher: RawClient, subscriber: RawClient): Promise<void> {
    for (let number = 1; !this.#isOver; number++) {
      await publisher.call('PUBLISH', 'witness', `${number}`);
      const message = (await subscriber.readFrame(REPLY_MS)).toString('latin1');
      if (!message.endsWith(`\r\n${number}\r\n`))
        this.#problem(`message ${number} came as ${JSON.stringify(message)}`);
      await delay(10 * PAUSE_MS);
    }
    publisher.close();
    subscriber.close();
  }
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
