import { afterAll, beforeAll, expect, test } from 'vitest';

import { startNearcache, type Nearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';

// Not a twin case: MONITOR shows the address of the connection that a command took, and nearcache's own commands too.
let redis: RedisServer;
let nearcache: Nearcache;

beforeAll(async () => {
  redis = await startRedis();
  nearcache = await startNearcache({ upstream: redis.port });
});

afterAll(async () => {
  await nearcache.stop();
  await redis.stop();
});

async function lineWith(client: RawClient, text: string): Promise<string> {
  for (;;) {
    const line = (await client.readFrame()).toString();
    if (line.includes(text)) return line;
  }
}

for (const protocol of ['2', '3']) {
  test(`MONITOR shows what another client sends, in RESP${protocol}`, async () => {
    const [monitor, other] = [await connectRaw(nearcache), await connectRaw(nearcache)];
    await monitor.call('HELLO', protocol);
    expect((await monitor.call('MONITOR')).toString()).toBe('+OK\r\n');
    await other.call('SET', 'k', 'a "b" \xff');
    expect(await lineWith(monitor, '"SET"')).toMatch(
      /^\+\d+\.\d{6} \[0 \S+\] "SET" "k" "a \\"b\\" \\xff"\r\n$/,
    );
    monitor.close();
    other.close();
  });
}

test('RESET ends MONITOR', async () => {
  const [monitor, other] = [await connectRaw(nearcache), await connectRaw(nearcache)];
  await monitor.call('MONITOR');
  monitor.request(['RESET']);
  await lineWith(monitor, '+RESET');
  await other.call('SET', 'k', 'unseen');
  expect((await monitor.call('GET', 'k')).toString()).toBe('$6\r\nunseen\r\n');
  monitor.close();
  other.close();
});
