import { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

const points = 100;
const requests = 500;

let server: RedisServer;
let nearcache: Nearcache;

beforeAll(async () => {
  server = await startRedis();
  nearcache = await startNearcache({ upstream: server.port });
});

afterAll(async () => {
  await nearcache.stop();
  await server.stop();
});

/** Asks the limiters in turn, all at once; how often they said yes. */
async function allowed(limiters: readonly RateLimiterRedis[], key: string): Promise<number> {
  const answers = await Promise.allSettled(
    Array.from({ length: requests }, (_, i) =>
      (limiters[i % limiters.length] as RateLimiterRedis).consume(key),
    ),
  );
  for (const answer of answers) {
    if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(RateLimiterRes);
  }
  return answers.filter(({ status }) => status === 'fulfilled').length;
}

test('rate-limiter-flexible on ioredis allows exactly its points to many clients at once', async () => {
  const clients = [2, 3, 2, 3].map((protocol) => {
    return new Redis({ host: '127.0.0.1', port: nearcache.port, protocol: protocol as 2 | 3 });
  });
  const limiters = clients.map((storeClient) => new RateLimiterRedis({ storeClient, points, duration: 60 }));

  expect(await allowed(limiters, 'ip')).toBe(points);

  // Every client reads the count that all of them made, through the near-cache.
  for (const limiter of limiters) expect((await limiter.get('ip'))?.consumedPoints).toBe(requests);
  await limiters[0]?.reward('ip', 450);
  for (const limiter of limiters) expect((await limiter.get('ip'))?.remainingPoints).toBe(50);
  for (const client of clients) client.disconnect();
});

test('rate-limiter-flexible on node-redis allows exactly its points to many clients at once', async () => {
  const clients = await Promise.all(
    [2, 3].map((RESP) =>
      createClient({ RESP: RESP as 3, socket: { host: '127.0.0.1', port: nearcache.port } }).connect(),
    ),
  );
  const limiters = clients.map(
    (storeClient) => new RateLimiterRedis({ storeClient, useRedisPackage: true, points, duration: 60 }),
  );

  expect(await allowed(limiters, 'node')).toBe(points);

  for (const limiter of limiters) expect((await limiter.get('node'))?.consumedPoints).toBe(requests);
  for (const client of clients) client.destroy();
});
