import { type Job, Queue, QueueEvents, Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

let server: RedisServer;
let nearcache: Nearcache;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] });
  nearcache = await startNearcache({ upstream: server.port });
});

afterAll(async () => {
  await nearcache.stop();
  await server.stop();
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

describe.each([2, 3] as const)('BullMQ over RESP%i', (protocol) => {
  const connection = () => ({
    host: '127.0.0.1',
    port: nearcache.port,
    protocol,
    maxRetriesPerRequest: null,
  });
  const newQueue = async (name: string): Promise<Queue> => {
    const queue = new Queue(`${name}-resp${protocol}`, { connection: connection() });
    open.push(queue);
    await queue.waitUntilReady();
    return queue;
  };
  const work = async (queue: Queue, run: (job: Job) => Promise<unknown>, concurrency = 1): Promise<void> => {
    const worker = new Worker(queue.name, run, { connection: connection(), concurrency });
    worker.on('error', () => {});
    open.push(worker);
    await worker.waitUntilReady();
  };
  const listen = async (queue: Queue): Promise<QueueEvents> => {
    const events = new QueueEvents(queue.name, { connection: connection() });
    open.push(events);
    await events.waitUntilReady();
    return events;
  };

  test('runs each of 200 jobs exactly once on three workers and tells of each', async () => {
    const queue = await newQueue('many');
    const events = await listen(queue);
    const told: string[] = [];
    events.on('completed', ({ jobId, returnvalue }) => told.push(`${jobId}=${returnvalue}`));
    const runs: string[] = [];
    const complete = async (job: Job): Promise<string> => {
      runs.push(job.id as string);
      return `done ${job.data.n}`;
    };
    for (let i = 0; i < 3; i++) {
      await work(queue, complete, 10);
    }

    const jobs = await queue.addBulk(Array.from({ length: 200 }, (_, n) => ({ name: 'job', data: { n } })));

    await expect.poll(() => told.length, { timeout: 40_000 }).toBe(200);
    expect(told.toSorted()).toEqual(jobs.map((job, n) => `${job.id}=done ${n}`).toSorted());
    expect(runs.toSorted()).toEqual(jobs.map((job) => job.id as string).toSorted());
    expect(await queue.getJobCounts('completed', 'failed', 'active', 'waiting')).toEqual({
      completed: 200,
      failed: 0,
      active: 0,
      waiting: 0,
    });
  });

  test('runs delayed jobs once and not before their time', async () => {
    const queue = await newQueue('delayed');
    const early: number[] = [];
    const runs: number[] = [];
    await work(queue, async (job) => {
      runs.push(job.data.n);
      if (Date.now() < job.timestamp + job.delay) early.push(job.data.n);
    });

    for (const n of [3, 2, 1]) await queue.add('later', { n }, { delay: n * 600 });

    await expect.poll(() => runs.length, { timeout: 40_000 }).toBe(3);
    expect(runs).toEqual([1, 2, 3]);
    expect(early).toEqual([]);
  });

  test('repeats a job as often as it was told', async () => {
    const queue = await newQueue('repeated');
    const runs: (string | undefined)[] = [];
    await work(queue, async (job) => runs.push(job.id));

    await queue.upsertJobScheduler('tick', { every: 100, limit: 4 }, { name: 'tick' });

    await expect.poll(() => runs.length, { timeout: 40_000 }).toBe(4);
    await expect.poll(() => queue.getJobCountByTypes('delayed', 'waiting', 'active')).toBe(0);
    expect(new Set(runs).size).toBe(4);
  });

  test('tries a failed job again, and gives up after its attempts', async () => {
    const queue = await newQueue('failing');
    const events = await listen(queue);
    const outcomes: string[] = [];
    events.on('completed', ({ jobId }) => outcomes.push(`${jobId} completed`));
    events.on('failed', ({ jobId, failedReason }) => outcomes.push(`${jobId} failed: ${failedReason}`));
    const runs: string[] = [];
    await work(queue, async (job) => {
      runs.push(job.name);
      if (job.attemptsMade < job.data.failures) throw new Error(`no ${job.attemptsMade}`);
    });

    const options = { attempts: 3, backoff: { type: 'fixed', delay: 20 } };
    await queue.add('recovers', { failures: 2 }, { ...options, jobId: 'a' });
    await queue.add('hopeless', { failures: 9 }, { ...options, jobId: 'b' });

    await expect.poll(() => outcomes.length, { timeout: 40_000 }).toBe(2);
    expect(outcomes.toSorted()).toEqual(['a completed', 'b failed: no 2']);
    expect(runs.toSorted()).toEqual([...Array(3).fill('hopeless'), ...Array(3).fill('recovers')]);
  });
});
