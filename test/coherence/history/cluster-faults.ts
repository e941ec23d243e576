import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import type { ClusterNode } from '../../../src/drill/servers/cluster-node.ts';
import type { RedisCluster } from '../../../src/drill/servers/redis-cluster.ts';
import type { ClusterBackend } from './cluster-backend.ts';
import { slotOfKey } from './directory.ts';
import { FailoverWatch } from './failover-watch.ts';
import type { Fault } from './faults.ts';
import type { Register } from './keyspace.ts';
import { Nomad } from './nomad.ts';
import type { Stage } from './stage.ts';

/** What a transaction hears when its slot has gone, and what is to be tried again. */
const REDIRECTED = /moved|MOVED|^ASK |TRYAGAIN|EXECABORT|CROSSSLOT|connection was lost/;

/** What befalls a Cluster. */
export const CLUSTER_FAULTS: readonly Fault[] = [
  { name: 'none', population: 'standard' },
  {
    name: 'slot-migration',
    population: 'standard',
    isContinuous: true,
    hasNomads: true,
    tolerates: REDIRECTED,
    strike: migrate,
  },
  {
    name: 'failover',
    population: 'standard',
    needsReplicas: true,
    strike: async (stage, random) => {
      const { cluster } = clusterOf(stage);
      const primary = random.pick(await cluster.primaries());
      const [replica] = await cluster.replicasOf(primary);
      if (replica !== undefined) await cluster.failover(replica);
    },
  },
  {
    name: 'kill-primary',
    population: 'owned',
    needsReplicas: true,
    strike: async (stage, random) =>
      succeed(stage, random, async (cluster, primary, watch) => {
        await cluster.kill9(primary);
        await watch.promoted;
        await cluster.settled();
        watch.known();
        await watch.end();
        await cluster.restart(primary);
      }),
  },
  {
    name: 'stopped-primary',
    population: 'owned',
    needsReplicas: true,
    strike: async (stage, random) =>
      succeed(stage, random, async (cluster, primary, watch) => {
        primary.isRunning = false;
        await primary.server.kill('SIGSTOP');
        await watch.promoted;
        await delay(random.int(0, 50));
        await primary.server.kill('SIGCONT');
        primary.isRunning = true;
        await cluster.settled();
        watch.known();
        await watch.end();
      }),
  },
];

/** Something happens to a primary, and its replica takes its place. */
async function succeed(
  stage: Stage,
  random: Random,
  strike: (cluster: RedisCluster, primary: ClusterNode, watch: FailoverWatch) => Promise<void>,
): Promise<void> {
  const { cluster } = clusterOf(stage);
  const primary = random.pick(await cluster.primaries());
  const replicas = await cluster.replicasOf(primary);
  const ranges = (await primary.line()).slots.map((range) => range.split('-').map(Number));
  const isMine = (key: string): boolean => {
    const slot = slotOfKey(key);
    return ranges.some(([first = 0, last = first]) => first <= slot && slot <= last);
  };
  const watch = new FailoverWatch(
    stage,
    replicas.map(({ port }) => port),
    isMine,
  );
  await strike(cluster, primary, watch);
  await cluster.settled();
}

function clusterOf({ world }: Stage): ClusterBackend {
  return world.backend as ClusterBackend;
}

/** A slot leaves, with what is and what is not there, and mostly comes back: so soon that nobody may have seen it, or later. */
async function migrate(stage: Stage, random: Random, stalenessMs: number): Promise<void> {
  const { cluster } = clusterOf(stage);
  const nomad = random.chance(0.4) ? new Nomad(stage, random.pick(stage.keyspace.nomads)) : undefined;
  const slot = slotOfKey(nomad?.register.key ?? anyRegister(stage, random).key);
  const from = await cluster.ownerOf(slot);
  const to = random.pick((await cluster.primaries()).filter((node) => node !== from));
  await nomad?.vanish();
  await delay(random.int(0, stalenessMs / 2));
  const pause = random.pick([0, 10, 150]);
  const between = async (): Promise<void> => {
    await nomad?.appear();
    await delay(random.int(0, pause));
  };
  await cluster.moveSlot(slot, from, to, { batch: 1, between });
  if (random.chance(0.5)) await nomad?.appear();
  await delay(random.pick([0, 0, 50, stalenessMs, 1500]) * random.next());
  if (random.chance(0.3)) return;
  if (random.chance(0.5)) await nomad?.vanish();
  await cluster.moveSlot(slot, to, from, { batch: 1, between });
  await delay(random.int(0, stalenessMs));
}

function anyRegister({ keyspace }: Stage, random: Random): Register {
  const owned = keyspace.slots.flatMap(({ registers }) => registers);
  return random.pick([...keyspace.counters, ...keyspace.hashes.flatMap(({ fields }) => fields), ...owned]);
}
