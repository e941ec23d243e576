import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';

import { type OpenLoopPlan, runOpenLoop } from '../../../../bench/load/open-loop.ts';
import { buildBatches, expectedReply } from '../../../../bench/load/request.ts';

const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

const batches = buildBatches('get', ['key'], 8, 2);
const requestBytes = (batches[0]?.bytes.length ?? 0) / 2;

/** Serves `answer` for the number of whole requests that have arrived. */
async function serve(answer: (requests: number, socket: Socket) => void): Promise<OpenLoopPlan> {
  const server = createServer({ noDelay: true }, (socket) => {
    let [bytes, answered] = [0, 0];
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      const whole = Math.floor(bytes / requestBytes);
      answer(whole - answered, socket);
      answered = whole;
    });
    cleanUps.push(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const reply = expectedReply('get', 8);
  return { port, connections: 3, batches, reply, batchesPerSecond: 500, seconds: 0.2, warmUpSeconds: 0.05 };
}

const reply = expectedReply('get', 8).toString();

test('every batch of the measured time is recorded once', async () => {
  const plan = await serve((requests, socket) => socket.write(reply.repeat(requests)));
  const { latency, sendLag } = await runOpenLoop(plan);
  expect(latency.totalCount).toBe(100);
  expect(sendLag.totalCount).toBeGreaterThan(0);
});

test('a stall is charged to all requests that it kept waiting', async () => {
  let held = 0;
  const plan = await serve((requests, socket) => {
    const stalls = held === 0;
    held += requests;
    if (!stalls) return;
    setTimeout(() => {
      socket.write(reply.repeat(held));
      held = 0;
    }, 100);
  });
  const { latency } = await runOpenLoop({ ...plan, connections: 1, warmUpSeconds: 0 });
  expect(latency.totalCount).toBe(100);
  // The stalls of 100 ms each hold 50 batches, which wait 50 ms in the mean; a closed loop would send 2 in all.
  expect(latency.mean / 10_000).toBeGreaterThan(30);
});

test('a wrong reply ends the run with an error', async () => {
  const plan = await serve((_, socket) => socket.write('-ERR no\r\n'));
  await expect(runOpenLoop(plan)).rejects.toThrow('-ERR no');
});

test('a target that closes ends the run with an error', async () => {
  const plan = await serve((_, socket) => socket.destroy());
  await expect(runOpenLoop(plan)).rejects.toThrow('closed a connection');
});

test('a reply that nobody asked for ends the run with an error', async () => {
  const plan = await serve((requests, socket) => socket.write(reply.repeat(requests + 1)));
  await expect(runOpenLoop(plan)).rejects.toThrow('nobody asked for');
});
