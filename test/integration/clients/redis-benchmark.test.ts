import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { runProgram } from '../../support/program.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

/** The whole default suite of redis-benchmark 7.0. */
const suite = [
  'PING_INLINE',
  'PING_MBULK',
  'SET',
  'GET',
  'INCR',
  'LPUSH',
  'RPUSH',
  'LPOP',
  'RPOP',
  'SADD',
  'HSET',
  'SPOP',
  'ZADD',
  'ZPOPMIN',
  'LPUSH (needed to benchmark LRANGE)',
  'LRANGE_100 (first 100 elements)',
  'LRANGE_300 (first 300 elements)',
  'LRANGE_500 (first 500 elements)',
  'LRANGE_600 (first 600 elements)',
  'MSET (10 keys)',
];

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

test.each([
  ['as it comes', ['-n', '5000']],
  ['with a pipeline of 16', ['-n', '20000', '-P', '16']],
  ['with 100 clients', ['-n', '10000', '-c', '100']],
  ['in RESP3', ['-n', '5000', '-3']],
  ['in RESP3 with a pipeline of 16 and 100 clients', ['-n', '20000', '-3', '-P', '16', '-c', '100']],
  ['with threads and random keys', ['-n', '5000', '--threads', '2', '-r', '1000']],
  ['with values of 3 kB', ['-n', '500', '-d', '3000']],
])('redis-benchmark runs its whole default suite %s', { timeout: 120_000 }, async (_, options) => {
  const args = ['-p', String(nearcache.port), '--csv', ...options];
  const { code, stdout, stderr } = await runProgram('redis-benchmark', args);

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const rows = stdout.trim().split('\n').slice(1);
  expect(rows.map((row) => row.split('","')[0]?.slice(1))).toEqual(suite);
  expect(stdout).not.toMatch(/error|warning/i);
});
