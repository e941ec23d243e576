// Every scenario of `nearcache drill`, short, against real redis-server processes.
import { describe, expect, test } from 'vitest';

import type { DrillRecord, DrillVerdict } from '../../src/drill/record.ts';
import { runDrill } from '../../src/drill/run.ts';
import type { Scenario } from '../../src/drill/scenario.ts';
import { SCENARIOS } from '../../src/drill/scenarios.ts';
import { NotPossible } from '../../src/drill/servers/private-names.ts';
import { processBackend } from '../../src/drill/servers/redis-process.ts';

const SECONDS = 6;
const TIMEOUT_MS = 90_000;

function play(scenario: Scenario): Promise<DrillRecord> {
  return runDrill(scenario, { backend: processBackend, seconds: SECONDS, ratePerSecond: 600, shards: 3 });
}

function broken({ verdicts }: DrillRecord): DrillVerdict[] {
  return verdicts.filter(({ passed }) => !passed);
}

describe('a drill keeps every promise', () => {
  test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    async (_, scenario) => {
      const record = await play(scenario).catch((error: unknown) => {
        if (error instanceof NotPossible) return error;
        throw error;
      });
      if (record instanceof NotPossible) {
        console.log(`${scenario.name} cannot be drilled here: ${record.message}`);
        return;
      }
      expect(broken(record)).toEqual([]);
      expect(record.samples.length).toBeGreaterThan(SECONDS);
      expect(record.events.length).toBeGreaterThanOrEqual(2);
    },
    TIMEOUT_MS,
  );
});

test(
  'a drill whose own means fail ends with their error',
  async () => {
    const stop = SCENARIOS.find(({ name }) => name === 'stop') as Scenario;
    const failing = { ...stop, play: () => Promise.reject(new Error('no such thing as a shard')) };
    await expect(play(failing)).rejects.toThrow('no such thing as a shard');
  },
  TIMEOUT_MS,
);

test(
  'a drill says so when nothing is cached and nothing is cut off',
  async () => {
    const kill = SCENARIOS.find(({ name }) => name === 'pause') as Scenario;
    const record = await play({
      ...kill,
      flags: { 'cache-size': '0', breaker: 'off', 'command-timeout': '2s' },
    });
    expect(broken(record).map(({ promise }) => promise)).toEqual(
      expect.arrayContaining([
        'near-cache hits, of reads without a fault',
        'errors on hot cached keys',
        'first error within 5 ms',
      ]),
    );
  },
  TIMEOUT_MS,
);
