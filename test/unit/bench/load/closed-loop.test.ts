import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';

import { type ClosedLoopPlan, runClosedLoop } from '../../../../bench/load/closed-loop.ts';
import { keyedValue } from '../../../../bench/load/mixed-request.ts';

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
  const outcome = await runClosedLoop(plan);
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
  await runClosedLoop(plan);
  expect(seen.pipelined).toBe(1);
});

test('the value of another key is a wrong answer', async () => {
  const { plan } = await serve((command) => (command === 'SET' ? '+OK\r\n' : got('key:000000000099')));
  await expect(runClosedLoop(plan)).rejects.toThrow('unexpected reply');
});

test('a second reply to one request is a wrong answer', async () => {
  const { plan } = await serve((command, key) => right(command, key).repeat(2));
  await expect(runClosedLoop(plan)).rejects.toThrow('unexpected reply');
});

test('a target that closes ends the run with an error', async () => {
  const { plan } = await serve(() => undefined);
  await expect(runClosedLoop(plan)).rejects.toThrow('closed a connection');
});
