// The system allows few open files (`ulimit -n`): clients must not take those by which Redis is reached.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { clientsThatFit } from '../../../src/build/session-options.ts';
import { eventually } from '../../../src/drill/servers/eventually.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { type RedisServer } from '../../../src/drill/servers/redis-backend.ts';
import { type Relay, startRelay } from '../../../src/drill/servers/relay.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { startRedis } from '../../support/redis-server.ts';

const FILES = 120;
const FIT = FILES / 2;

describe('a process with few open files', () => {
  const apps: RawClient[] = [];
  let redis: RedisServer;
  let relay: Relay;
  let nearcache: Nearcache;

  beforeAll(async () => {
    redis = await startRedis();
    relay = await startRelay(redis.port);
    nearcache = await startNearcache({
      upstream: relay.port,
      flags: ['--cache-size', '0', '--canary-interval', '0'],
      launcher: ['prlimit', `--nofile=${FILES}:${FILES}`],
    });
    for (let i = 0; i < FIT; i++) apps.push(await connectRaw({ port: nearcache.port }));
  });

  afterAll(async () => {
    for (const app of apps) app.close();
    await nearcache.kill();
    await relay.stop();
    await redis.stop();
  });

  async function knock(): Promise<string> {
    const stranger = await connectRaw({ port: nearcache.port });
    const word = await stranger.readFrame();
    stranger.close();
    return word.toString();
  }

  test('says at the start how many clients it serves', async () => {
    await expect
      .poll(() => nearcache.logs, { timeout: 10_000 })
      .toContain(
        `"count":${FIT},"reason":"--max-clients is 10000, but the system allows this process ${FILES} open files"`,
      );
  });

  test('serves so many, and one more hears why it is not served', async () => {
    for (const app of apps) expect(String(await app.call('SET', 'k', 'v'))).toBe('+OK\r\n');
    expect(await knock()).toBe('-ERR max number of clients reached\r\n');
  });

  test('has a connection left for each that blocks', async () => {
    const blocked = apps.slice(0, 20);
    const replies = await Promise.all(blocked.map((app) => app.call('BLPOP', 'nothing', '0.2')));
    expect(new Set(replies.map(String))).toEqual(new Set(['*-1\r\n']));
  });

  test('comes back to Redis while others knock', async () => {
    relay.cut();
    await eventually('Redis is reached again', async () => {
      await Promise.all(Array.from({ length: 10 }, knock));
      return String(await (apps[0] as RawClient).call('GET', 'k')) === '$1\r\nv\r\n' ? true : undefined;
    });
  });
});

test.each([
  { files: undefined, fit: 10_000 },
  { files: 1_048_576, fit: 10_000 },
  { files: 11_128, fit: 10_000 },
  { files: 11_127, fit: 9999 },
  { files: 4096, fit: 2968 },
  { files: 1024, fit: 512 },
])('of $files files, $fit are for clients', ({ files, fit }) => {
  expect(clientsThatFit({ clientsMax: 10_000, pinnedMax: 1000 }, files)).toBe(fit);
});
