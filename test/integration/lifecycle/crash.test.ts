import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { until } from '../../support/sidecar.ts';

/** Several sessions that write what only grows, and read it back: a reply that belongs to another request, a write that was
 *  lost after its OK, and one that ran twice are all noticed. */
class CountingApp {
  good = 0;
  failed = 0;
  readonly wrong: string[] = [];
  readonly #client: Redis;
  readonly #key: string;
  /** The last value that was acknowledged, and the highest that may have been written. */
  #least = 0;
  #most = 0;
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  constructor(path: string, number: number) {
    this.#key = `counter:${number}`;
    this.#client = new Redis({
      path,
      protocol: number % 2 === 0 ? 2 : 3,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 20,
    });
    this.#client.on('error', () => {});
  }

  start(): void {
    this.#running = this.#work();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#client.disconnect();
  }

  async #work(): Promise<void> {
    while (!this.#isOver) {
      try {
        this.#most++;
        this.#note('incr', await this.#client.incr(this.#key));
        this.#note('get', Number(await this.#client.get(this.#key)));
        this.#note('get again', Number(await this.#client.get(this.#key)));
        this.good++;
      } catch {
        this.failed++;
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
      }
    }
  }

  #note(what: string, value: number): void {
    if (value < this.#least || value > this.#most) {
      this.wrong.push(`${this.#key} ${what}: ${value} of ${this.#least} to ${this.#most}`);
    }
    this.#least = value;
  }
}

let directory: string;
let redis: RedisServer;
let nearcache: Nearcache;
let apps: CountingApp[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nearcache-crash-'));
  redis = await startRedis();
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.stop()));
  await nearcache.kill();
  await redis.stop();
  rmSync(directory, { recursive: true });
});

/** Every app gets this much further. */
async function goesOn(more: number): Promise<void> {
  const before = apps.map(({ good }) => good);
  await until('all apps go on', () => apps.every(({ good }, i) => good >= (before[i] as number) + more));
}

test('kill -9 under load costs errors while it is away; clients come back by themselves', async () => {
  const path = join(directory, 'nearcache.sock');
  const start = (): Promise<Nearcache> =>
    startNearcache({ upstream: redis.port, flags: ['--listen', `unix:${path}`] });
  nearcache = await start();
  apps = Array.from({ length: 8 }, (_, number) => new CountingApp(path, number));
  for (const app of apps) app.start();
  await goesOn(50);

  for (let round = 0; round < 3; round++) {
    await nearcache.kill();
    nearcache = await start();
    await goesOn(50);
  }

  await Promise.all(apps.map((app) => app.stop()));
  expect(apps.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(apps.reduce((sum, { failed }) => sum + failed, 0)).toBeGreaterThan(0);
});
