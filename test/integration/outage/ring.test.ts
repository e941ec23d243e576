// One of three shards is away: the keys of the others do not feel it, and a call over all of them gets of each what it may.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { QUICK_FLAGS } from '../../support/outage-stage.ts';
import { keyOfEach } from '../../support/over-ring.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type Ring, startRing } from '../../support/ring-servers.ts';
import { say, until } from '../../support/sidecar.ts';

const NOT_SENT =
  /^-ERR nearcache: shard \S+ is (away|unreachable) \(.+\); .*the command was not sent, try again$/;

let ring: Ring;
let nearcache: Nearcache;
let at: [string, string, string];
let app: RawClient;

beforeAll(async () => {
  ring = await startRing(3);
  const policies = '--policy prefix=open:;whenAway=miss --canary-interval 0';
  nearcache = await startNearcache({
    upstream: ring.upstream,
    flags: `${QUICK_FLAGS} ${policies}`.split(' '),
  });
  at = await keyOfEach(nearcache, ring);
});
afterAll(async () => {
  await nearcache.kill();
  await ring.stop();
});

beforeEach(async () => {
  app = await connectRaw(nearcache);
});
afterEach(() => app.close());

function frameOf(...args: readonly string[]): Promise<string> {
  return app.call(...args).then((frame) => frame.toString('latin1'));
}

async function warm(...read: readonly string[]): Promise<void> {
  await until(`${read.join(' ')} is cached`, async () => {
    await app.call(...read);
    const before = await readMetric(nearcache, 'nearcache_cache_hits_total');
    await app.call(...read);
    return (await readMetric(nearcache, 'nearcache_cache_hits_total')) > before;
  });
}

/** Open keys of the three shards, of which nothing is known. */
function openKeys(): [string, string, string] {
  const tags = at.map((key) => `open:{${key}}`);
  return tags as [string, string, string];
}

describe.each(['SIGSTOP', 'SIGKILL'] as const)('while one of three shards is away after %s', (signal) => {
  beforeEach(async () => {
    await say(app, 'MSET', at[0], '0', at[1], '1', at[2], '2');
    await warm('MGET', ...at);
    await ring.shards[1]?.server.kill(signal);
  });
  afterEach(async () => {
    if (signal === 'SIGSTOP') await ring.shards[1]?.server.kill('SIGCONT');
    else await ring.shards[1]?.server.restart();
    await until('it is back', async () => (await say(app, 'SET', at[1], '1')) === '+OK');
  });

  async function known(): Promise<void> {
    await until(
      'it is known',
      async () => (await readMetric(nearcache, 'nearcache_shard_breaker_state')) > 0,
    );
  }

  test('before that is known, a call over all of them gets what the others say and what its policies allow', async () => {
    const [a, b, c] = openKeys();
    expect(await frameOf('MGET', a, b, c)).toBe('*3\r\n$-1\r\n$-1\r\n$-1\r\n');
    expect(await frameOf('EXISTS', a, b, c)).toBe(':0\r\n');
    expect(await say(app, 'MGET', a, `{${at[1]}}cold`)).toMatch(/^-ERR nearcache: shard /);
    expect(await say(app, 'GET', at[0])).toBe('0');
  });

  test('the keys of the others are read and written as ever', async () => {
    await known();
    for (const i of [0, 2] as const) {
      expect(await say(app, 'SET', at[i], 'new')).toBe('+OK');
      expect(await say(app, 'GET', at[i])).toBe('new');
      expect(await frameOf('MGET', at[0], at[2])).toBe(
        `*2\r\n${i === 0 ? '$3\r\nnew\r\n$1\r\n2\r\n' : '$3\r\nnew\r\n$3\r\nnew\r\n'}`,
      );
    }
    for (const i of [0, 2]) {
      const name = `127.0.0.1:${ring.shards[i]?.server.port}`;
      expect(await readMetric(nearcache, `nearcache_shard_breaker_state{shard="${name}"}`)).toBe(0);
    }
  });

  test('its own are stale or refused, also in a call over all of them', async () => {
    await known();
    const served = await readMetric(nearcache, 'nearcache_stale_served_total');
    expect(await say(app, 'SET', at[1], 'new')).toMatch(NOT_SENT);
    expect(await say(app, 'GET', at[1])).toBe('1');
    expect(await frameOf('MGET', ...at)).toBe('*3\r\n$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n');
    expect(await readMetric(nearcache, 'nearcache_stale_served_total')).toBe(served + 2);
    // Beside a key that has to be read, too.
    expect(await frameOf('MGET', at[0], at[1], `{${at[2]}}cold`)).toBe('*3\r\n$1\r\n0\r\n$1\r\n1\r\n$-1\r\n');
    const [a, b] = openKeys();
    expect(await frameOf('MGET', a, b, at[1])).toBe('*3\r\n$-1\r\n$-1\r\n$1\r\n1\r\n');
    expect(await say(app, 'MGET', at[0], `{${at[1]}}cold`)).toMatch(NOT_SENT);
  });

  test('its own are known from the first moment on, however long nobody can be asked where they are', async () => {
    const end = performance.now() + 4000;
    while (performance.now() < end) {
      expect(await say(app, 'GET', at[1])).toBe('1');
      expect(await frameOf('MGET', ...at)).toBe('*3\r\n$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n');
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
  });

  test('a write over all of them is refused there alone, and leaves what is known of its keys', async () => {
    await known();
    expect(await say(app, 'DEL', ...at)).toMatch(NOT_SENT);
    expect(await say(app, 'GET', at[0])).toBe('nil');
    expect(await say(app, 'GET', at[1])).toBe('1');
    expect(await say(app, 'GET', at[2])).toBe('nil');
  });
});
