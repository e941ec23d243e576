import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';

import type { ClosedLoopOutcome, ClosedLoopPlan } from '../../../../bench/load/closed-loop.ts';
import { keyedRequests, keyedValue } from '../../../../bench/load/mixed-request.ts';
import { Worker } from '../../../../bench/worker.ts';

const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** What the server has seen. Shape: `pipelined` is the most requests that came in one chunk of one connection. */
interface Seen {
  readonly gets: Map<string, number>;
  sets: number;
  pipelined: number;
}

const size = 40;

/** In a process of its own, since it leaves its event loop no time for a server. */
async function run(plan: ClosedLoopPlan): Promise<ClosedLoopOutcome> {
  const worker = new Worker(new URL('../../../../bench/load/closed-loop-process.ts', import.meta.url), plan);
  try {
    const outcome = await worker.ask<ClosedLoopOutcome | { failed: string }>('run');
    if ('failed' in outcome) throw new Error(outcome.failed);
    return outcome;
  } finally {
    await worker.stop();
  }
}

/** Answers every request as `answer` says; undefined closes the connection. */
async function serve(
  answer: (command: string, key: string) => string | undefined,
): Promise<{ plan: ClosedLoopPlan; seen: Seen }> {
  const seen: Seen = { gets: new Map(), sets: 0, pipelined: 0 };
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    cleanUps.push(() => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      const requests = [...chunk.toString('latin1').matchAll(/\$3\r\n(GET|SET)\r\n\$\d+\r\n(\S+)\r\n/g)];
      seen.pipelined = Math.max(seen.pipelined, requests.length);
      for (const [, command = '', key = ''] of requests) {
        if (command === 'SET') seen.sets++;
        else seen.gets.set(key, (seen.gets.get(key) ?? 0) + 1);
        const reply = answer(command, key);
        if (reply === undefined) socket.destroy();
        else socket.write(reply);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const load = { connections: 3, keys: 20, size, readShare: 0.75, exponent: 0.99, seed: 1 };
  return { plan: { port, ...load, seconds: 0.2, warmUpSeconds: 0.05 }, seen };
}

const got = (key: string): string => `$${size}\r\n${keyedValue(key, size)}\r\n`;
const right = (command: string, key: string): string => (command === 'SET' ? '+OK\r\n' : got(key));

test('every request is counted, reads and writes come in their shares, popular keys more often', async () => {
  const { plan, seen } = await serve(right);
  const outcome = await run(plan);
  const reads = [...seen.gets.values()].reduce((sum, count) => sum + count, 0);
  expect(outcome.requests).toBe(reads + seen.sets);
  expect(outcome.writes).toBe(seen.sets);
  expect(outcome.operationsPerSecond).toBeGreaterThan(0);
  expect(reads / outcome.requests).toBeGreaterThan(0.6);
  expect(reads / outcome.requests).toBeLessThan(0.9);
  const [first, last] = ['key:000000000000', 'key:000000000019'].map((key) => seen.gets.get(key) ?? 0);
  expect(first).toBeGreaterThan(last as number);
});

test('a connection waits for its answer before it asks again', async () => {
  const { plan, seen } = await serve(right);
  await run(plan);
  expect(seen.pipelined).toBe(1);
});

test('the value of another key is a wrong answer', async () => {
  const { plan } = await serve((command) => (command === 'SET' ? '+OK\r\n' : got('key:000000000099')));
  await expect(run(plan)).rejects.toThrow('unexpected reply');
});

test('a second reply to one request is a wrong answer', async () => {
  const { plan } = await serve((command, key) => right(command, key).repeat(2));
  await expect(run(plan)).rejects.toThrow('unexpected reply');
});

test('a target that closes ends the run with an error', async () => {
  const { plan } = await serve(() => undefined);
  await expect(run(plan)).rejects.toThrow('closed a connection');
});

test('requests that the kernel does not take at once arrive whole', async () => {
  const { plan } = await serve(right);
  const large = { ...plan, connections: 2, keys: 2, size: 8_000_000, readShare: 0 };
  const { set } = keyedRequests('key:000000000001', large.size);
  let requests = 0;
  const server = createServer((socket) => {
    let length = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length < set.length) return;
      length -= set.length;
      requests++;
      socket.write('+OK\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  const outcome = await run({ ...large, port: (server.address() as AddressInfo).port });
  expect(requests).toBeGreaterThan(2);
  expect(outcome.writes).toBe(requests);
});
