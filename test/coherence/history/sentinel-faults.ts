import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import { eventually } from '../../../src/drill/servers/eventually.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { FailoverWatch } from './failover-watch.ts';
import type { Fault } from './faults.ts';
import { Nomad } from './nomad.ts';
import type { SentinelBackend } from './sentinel-backend.ts';
import type { Stage } from './stage.ts';

/** What befalls a primary that Sentinels watch. */
export const SENTINEL_FAULTS: readonly Fault[] = [
  { name: 'none', population: 'standard' },
  {
    name: 'failover',
    population: 'owned',
    hasNomads: true,
    strike: async (stage, random) => {
      const { set } = backendOf(stage);
      await succeed(stage, random, async () => void (await set.failover()));
    },
  },
  {
    name: 'stopped-primary',
    population: 'owned',
    hasNomads: true,
    strike: async (stage, random) =>
      succeed(stage, random, async (old, watch) => {
        await old.kill('SIGSTOP');
        await watch.promoted;
        // Soon enough for it to be a primary in its own eyes and in those of its clients.
        await delay(random.pick([0, 20, 100]));
        await old.kill('SIGCONT');
      }),
  },
];

function backendOf({ world }: Stage): SentinelBackend {
  return world.backend as SentinelBackend;
}

/** Something happens to the primary, and a replica takes its place. Whoever still writes at the old one is told that it is done. */
async function succeed(
  stage: Stage,
  random: Random,
  strike: (old: RedisServer, watch: FailoverWatch) => Promise<void>,
): Promise<void> {
  const { set } = backendOf(stage);
  const old = await set.primary();
  const others = set.servers.filter((server) => server !== old);
  const nomad = new Nomad(stage, random.pick(stage.keyspace.nomads));
  await nomad.appear();
  const watch = new FailoverWatch(
    stage,
    others.map(({ port }) => port),
  );
  const striking = strike(old, watch);
  const port = await watch.promoted;
  const end = new AbortController();
  const straying = stray(striking, nomad, old.port, watch, end.signal);
  await eventually('all sentinels name the new primary', async () =>
    (await set.beliefs()).every((belief) => belief.port === port) ? true : undefined,
  );
  watch.known();
  await striking;
  await set.settled();
  await watch.end();
  end.abort();
  await straying;
  await nomad.appear();
}

/** Writes at the old primary for as long as it takes it. */
async function stray(
  begun: Promise<void>,
  nomad: Nomad,
  port: number,
  { failover }: FailoverWatch,
  end: AbortSignal,
): Promise<void> {
  await begun;
  while (!end.aborted && (await nomad.strayTo(port, failover))) await delay(10);
}
