/** Records as drills make them. */
import type { DrillRecord, DrillSample } from '../../../../src/drill/record.ts';

const EVERY_MS = 250;

/** A shard is away from the tenth second to the fortieth of sixty; the breaker opens after two. */
export const pausedShard: DrillRecord = {
  scenario: 'pause',
  title: 'One of three shards is paused (SIGSTOP) for 30 s, then goes on',
  backend: 'process',
  startedAt: '2026-11-21T18:25:36.000Z',
  seconds: 60,
  settings: { '--stale-if-error': '30s', '--command-timeout': '5s', '--cache-size': '64mb' },
  samples: Array.from({ length: 240 }, (_, i) => sampleOf(i, awayBetween(10_000, 40_000))),
  events: [
    { atMs: 10_000, text: 'shard1 paused (SIGSTOP)' },
    { atMs: 12_250, text: 'breaker of shard1 open' },
    { atMs: 40_000, text: 'shard1 goes on (SIGCONT)' },
    { atMs: 41_500, text: 'breaker of shard1 closed' },
  ],
  verdicts: [
    { promise: 'wrong or cross-wired replies', passed: true, measured: '0 of 240,112', allowed: '0' },
    { promise: 'time to the first fast failure', passed: true, measured: '2.3 s', allowed: '< 10 s' },
    {
      promise: 'p99 of the keys of the other shards while it is away, against before',
      passed: false,
      measured: '+31 %',
      allowed: '< +20 %',
    },
    { promise: 'requests without an answer', passed: true, measured: '0', allowed: '0' },
  ],
};

/** A shard that comes and goes every second: more events than there is room for. */
export const flapping: DrillRecord = {
  ...pausedShard,
  scenario: 'flapping',
  title: 'One shard is stopped and started every second',
  settings: { ...pausedShard.settings, '--breaker-open-time': '1s' },
  samples: Array.from({ length: 160 }, (_, i) =>
    sampleOf(i, (atMs) => atMs >= 5000 && atMs < 35_000 && Math.floor(atMs / 1000) % 2 === 1),
  ),
  seconds: 40,
  events: Array.from({ length: 30 }, (_, i) => ({
    atMs: 5000 + i * 1000,
    text: i % 2 === 0 ? 'shard1 stopped' : 'shard1 started',
  })),
  verdicts: pausedShard.verdicts.map((verdict) => ({ ...verdict, passed: true })),
};

/** Nothing went wrong at all. */
export const calm: DrillRecord = {
  ...pausedShard,
  scenario: 'none',
  title: 'Nothing happens',
  backend: 'container',
  seconds: 10,
  samples: Array.from({ length: 40 }, (_, i) => sampleOf(i, () => false)),
  events: [],
  verdicts: [{ promise: 'errors', passed: true, measured: '0', allowed: '0' }],
};

function awayBetween(fromMs: number, toMs: number): (atMs: number) => boolean {
  return (atMs) => atMs >= fromMs && atMs < toMs;
}

function sampleOf(i: number, isAway: (atMs: number) => boolean): DrillSample {
  const atMs = i * EVERY_MS;
  const away = isAway(atMs);
  const opened = away && isAway(atMs - 2000);
  const probing = !away && isAway(atMs - 1250);
  const ripple = 1 + 0.06 * Math.sin(i * 1.7) + 0.03 * Math.sin(i * 0.31);
  const requests = Math.round((away && !opened ? 860 : 1250) * ripple);
  const errors = away ? Math.round((opened ? 190 : 12) * ripple) : 0;
  return {
    atMs,
    requests,
    errors,
    fastErrors: opened ? errors : 0,
    p50Ms: (away && !opened ? 0.9 : 0.42) * ripple,
    p99Ms: (away && !opened ? 4900 : 3.2) * ripple * ripple,
    maxMs: (away && !opened ? 5100 : 9) * ripple,
    hits: Math.round(800 * ripple),
    staleServed: away ? Math.round(170 * ripple) : 0,
    missesServed: 0,
    breakers: {
      shard0: 'closed',
      shard1: opened ? 'open' : probing ? 'half-open' : 'closed',
      shard2: i < 2 ? 'unknown' : 'closed',
    },
    reconnects: probing ? 1 : 0,
  };
}
