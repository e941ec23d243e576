// The scenarios of `nearcache drill` against containers, where a Docker engine answers.
import { describe, expect, test } from 'vitest';

import { runDrill } from '../../src/drill/run.ts';
import { SCENARIOS } from '../../src/drill/scenarios.ts';
import { NotPossible } from '../../src/drill/servers/private-names.ts';
import type { RedisBackend } from '../../src/drill/servers/redis-backend.ts';
import { dockerBackend } from '../../src/drill/servers/redis-docker.ts';
import { backendName } from '../support/redis-server.ts';

const hasEngine = backendName() === 'container';
if (!hasEngine)
  console.log('no drills with containers: no Docker engine answers, or NEARCACHE_TEST_BACKEND says process');

/** By Testcontainers; loaded only where there is an engine. */
const throughTestcontainers: RedisBackend = {
  name: 'container',
  async start(options, port, dir) {
    const { containerBackend } = await import('../support/redis-container.ts');
    return containerBackend.start(options, port, dir);
  },
};

/** The image that the backend of the tests has made by then. */
const IMAGE = 'redis:7-local';

async function play(name: string, backend: RedisBackend): Promise<unknown> {
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  try {
    const record = await runDrill(scenario, { backend, seconds: 8, ratePerSecond: 500, shards: 3 });
    return record.verdicts.filter(({ passed }) => !passed);
  } catch (error) {
    if (!(error instanceof NotPossible)) throw error;
    console.log(`${name} cannot be drilled here: ${error.message}`);
    return [];
  }
}

describe.runIf(hasEngine)('a drill with containers keeps every promise', () => {
  test.each(SCENARIOS.map(({ name }) => name))(
    '%s',
    async (name) => {
      expect(await play(name, throughTestcontainers)).toEqual([]);
    },
    180_000,
  );

  test.each(['stop', 'kill', 'pause'])(
    '%s, by the docker command alone',
    async (name) => {
      expect(await play(name, dockerBackend(IMAGE))).toEqual([]);
    },
    180_000,
  );
});
