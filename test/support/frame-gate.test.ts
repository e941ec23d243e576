import { afterEach, beforeEach, expect, test } from 'vitest';

import { startFrameGate } from './frame-gate.ts';
import type { FrameGate } from './frame-gate.ts';
import { connectRaw } from './raw-client.ts';
import type { RawClient } from './raw-client.ts';
import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';

let redis: RedisServer;
let gate: FrameGate;
let client: RawClient;
let direct: RawClient;

beforeEach(async () => {
  redis = await startRedis();
  gate = await startFrameGate(redis.port);
  client = await connectRaw({ port: gate.port });
  direct = await connectRaw(redis);
});

afterEach(async () => {
  client.close();
  direct.close();
  await gate.stop();
  await redis.stop();
});

test('a request waits at the gate with what is behind it, while what was before it has run', async () => {
  const stop = gate.stopAt('up', (frame) => frame.includes('second'));
  client.request(['INCR', 'first']);
  client.request(['INCR', 'second']);
  client.request(['INCR', 'third']);
  expect(await stop.reached).toContain('second');
  expect(String(await client.readFrame())).toBe(':1\r\n');
  expect(String(await direct.call('EXISTS', 'second', 'third'))).toBe(':0\r\n');
  stop.release();
  expect((await client.readFrames(2)).map(String)).toEqual([':1\r\n', ':1\r\n']);
});

test('a reply waits at the gate although the server has run the command', async () => {
  const stop = gate.stopAt('down', (frame) => frame === ':1\r\n');
  client.request(['INCR', 'n']);
  await stop.reached;
  expect(String(await direct.call('GET', 'n'))).toBe('$1\r\n1\r\n');
  expect(client.rest()).toHaveLength(0);
  stop.release();
  expect(String(await client.readFrame())).toBe(':1\r\n');
});

test('another connection passes a gate that holds a frame', async () => {
  const stop = gate.stopAt('up', (frame) => frame.includes('GET'));
  client.request(['GET', 'k']);
  await stop.reached;
  const second = await connectRaw({ port: gate.port });
  expect(String(await second.call('GET', 'k'))).toBe('$-1\r\n');
  second.close();
  stop.release();
  expect(String(await client.readFrame())).toBe('$-1\r\n');
});

test('frames that are lost do not come, and those around them do', async () => {
  const end = gate.lose('down', (frame) => frame === ':2\r\n');
  for (let i = 0; i < 3; i++) client.request(['INCR', 'n']);
  expect((await client.readFrames(2)).map(String)).toEqual([':1\r\n', ':3\r\n']);
  end();
  await direct.call('SET', 'n', '1');
  expect(String(await client.call('INCR', 'n'))).toBe(':2\r\n');
});
