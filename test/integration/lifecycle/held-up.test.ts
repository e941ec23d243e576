import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { until } from '../../support/sidecar.ts';

/** On SIGUSR2 the event loop stands still for HOLD_MS. */
const HOLD =
  "process.on('SIGUSR2',()=>{for(let%20end=performance.now()+Number(process.env.HOLD_MS);performance.now()<end;);})";

let redis: RedisServer;
let nearcache: Nearcache;

beforeEach(async () => {
  redis = await startRedis();
});

afterEach(async () => {
  await nearcache.kill();
  await redis.stop();
});

async function start(holdMs: number, ...flags: readonly string[]): Promise<void> {
  nearcache = await startNearcache({
    upstream: redis.port,
    flags,
    env: { NODE_OPTIONS: `--import=data:text/javascript,${HOLD}`, HOLD_MS: String(holdMs) },
  });
}

function warnings(): { count: number; durationMs: number }[] {
  const lines = nearcache.logs.split('\n').filter((line) => line.includes('the event loop was held up'));
  return lines.map((line) => JSON.parse(line) as { count: number; durationMs: number });
}

test('an event loop that was held up is logged and counted, in one line for all of 10 s', async () => {
  // On a machine with other work it may well be held up for longer than the default.
  await start(3000, '--loop-lag-warning', '2s');
  expect(await readMetric(nearcache, 'nearcache_loop_stalls_total')).toBe(0);

  process.kill(nearcache.pid, 'SIGUSR2');
  await until('it is logged', () => warnings().length > 0);
  process.kill(nearcache.pid, 'SIGUSR2');
  await until(
    'it is counted',
    async () => (await readMetric(nearcache, 'nearcache_loop_stalls_total')) === 2,
  );

  expect(warnings()).toHaveLength(1);
  expect(warnings()[0]?.count).toBe(1);
  expect(warnings()[0]?.durationMs).toBeGreaterThan(2000);
  expect(await readMetric(nearcache, 'nearcache_loop_stalled_seconds_total')).toBeGreaterThan(5);
});

test('without --watchdog it goes on', async () => {
  await start(3000);
  expect(await readMetric(nearcache, 'nearcache_watchdog_seconds')).toBe(0);
  process.kill(nearcache.pid, 'SIGUSR2');
  await until('it is counted', async () => (await readMetric(nearcache, 'nearcache_loop_stalls_total')) > 0);
});

test('--watchdog ends a process whose event loop does not turn, and says so', async () => {
  await start(60_000, '--watchdog', '1500ms');
  expect(await readMetric(nearcache, 'nearcache_watchdog_seconds')).toBe(1.5);

  const from = performance.now();
  process.kill(nearcache.pid, 'SIGUSR2');

  expect(await nearcache.exited).toBe('SIGABRT');
  expect(performance.now() - from).toBeGreaterThan(1400);
  expect(nearcache.logs).toMatch(
    /nearcache: the event loop is held up since \d{4}-\d\d-\d\dT.*Z \(\d\.\d s\); --watchdog ends the process\n/,
  );
});

test('--watchdog lets a process be that was stopped as a whole and goes on', async () => {
  await start(0, '--watchdog', '1500ms');
  for (let round = 0; round < 2; round++) {
    process.kill(nearcache.pid, 'SIGSTOP');
    // Longer than the watchdog allows; nothing is waited for.
    await delay(3000);
    process.kill(nearcache.pid, 'SIGCONT');
    expect(await readMetric(nearcache, 'nearcache_up')).toBe(1);
  }
  await delay(1000);
  expect(nearcache.hasEnded).toBe(false);
  await nearcache.stop();
  expect(await nearcache.exited).toBe(0);
});
