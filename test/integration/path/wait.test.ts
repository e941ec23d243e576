// DESIGN rule 5: WAIT counts the replicas that have this session's writes, though those went over another connection.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startRedis } from '../../support/redis-server.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { say, Sidecar, until } from '../../support/sidecar.ts';

let sidecar: Sidecar;
let replica: RedisServer;

beforeAll(async () => {
  sidecar = await Sidecar.start({ redisArgs: ['--repl-diskless-sync-delay', '0'] });
  replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(sidecar.redis.port)] });
});
afterAll(async () => {
  await replica.stop();
  await sidecar.stop();
});

test('WAIT does not count a replica that has not got the write before it', async () => {
  const app = await sidecar.app();
  await until('the replica follows', async () => (await say(app, 'WAIT', '1', '100')) === ':1');
  await replica.kill('SIGSTOP');
  expect(await say(app, 'SET', 'k', 'v')).toBe('+OK');
  // The pinned connection was used a moment ago, when the replica had everything.
  expect(await say(app, 'WAIT', '1', '50')).toBe(':0');
  await replica.kill('SIGCONT');
  await until('the replica has it', async () => (await say(app, 'WAIT', '1', '100')) === ':1');
});
