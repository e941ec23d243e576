import { setTimeout as delay } from 'node:timers/promises';

import { STAY_BUSY } from '../../support/busy-script.ts';
import type { Random } from '../../fuzz/random.ts';
import type { Population } from './keyspace.ts';
import { ACL_USER, loosen, TENANT_MAX_TTL_MS, tighten } from './permissions.ts';
import { loseEverything } from './seed.ts';
import type { Topology } from './backend.ts';
import { CLUSTER_FAULTS } from './cluster-faults.ts';
import type { Link, LinkWeather } from './relay.ts';
import type { RingBackend } from './ring-backend.ts';
import { RING_FAULTS } from './ring-faults.ts';
import { SENTINEL_FAULTS } from './sentinel-faults.ts';
import type { Stage } from './stage.ts';

/** What is done to the parts. `strike` resolves when it is over; what it takes to recover is not its business.
 *  Units: `stalenessMs` is nearcache's D. */
export interface Fault {
  readonly name: string;
  readonly population: Population;
  /** It strikes again at once and all the time: there is no calm, and what is asked of calm is asked of all of it. */
  readonly isContinuous?: boolean;
  /** Every primary of a Cluster has one. */
  readonly needsReplicas?: boolean;
  /** Some keys are written by the fault itself. */
  readonly hasNomads?: boolean;
  /** Errors that must be expected even in calm. */
  readonly tolerates?: RegExp;
  /** Further flags of nearcache. */
  readonly flags?: readonly string[];
  /** Whom half of the apps log in as. */
  readonly user?: string;
  /** Runs before there is a load, and stays. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  readonly strike?: (stage: Stage, random: Random, stalenessMs: number) => Promise<void>;
}

const FILLER = 'x'.repeat(20_000);

export const CALM_WEATHER: LinkWeather = { delayMs: [0, 3], bytesPerMs: Infinity, tearing: 0.4 };

function fault(name: string, strike: NonNullable<Fault['strike']>): Fault {
  return { name, population: 'standard', strike };
}

/** Faults of the network, of processes, and of Redis's own doing that may come in any order. */
const COMBINABLE: readonly Fault[] = [
  fault('delay', async ({ world }, random, stalenessMs) => {
    world.weather = {
      delayMs: [0, random.pick([20, stalenessMs / 2, stalenessMs * 1.3])],
      bytesPerMs: Infinity,
      tearing: 0,
    };
    await delay(1500);
    world.weather = CALM_WEATHER;
  }),
  fault('throttle', async ({ world }, random) => {
    world.weather = { delayMs: [0, 1], bytesPerMs: random.pick([5, 30, 100]), tearing: 0 };
    await delay(1500);
    world.weather = CALM_WEATHER;
  }),
  fault('cut', async (stage, random) => {
    for (let i = random.int(1, 4); i > 0; i--) {
      for (const link of someLinks(stage, random)) link.cut();
      await delay(random.int(0, 300));
    }
  }),
  fault('half-open', async (stage, random, stalenessMs) => {
    const links = someLinks(stage, random);
    for (const link of links) link.halfOpen();
    await delay(stalenessMs * 4);
    // An idle one would only be found out when it is used next, after all is well again.
    for (const link of links) link.cut();
  }),
  fault('drop', async (stage, random, stalenessMs) => {
    const direction = random.pick(['up', 'down'] as const);
    const links = someLinks(stage, random);
    for (const link of links) link[direction].isSwallowing = true;
    await delay(stalenessMs * 4);
    for (const link of links) link.cut();
  }),
  fault('redis-kill', async (stage, random) => loseEverything(stage, 0, random.int(0, 600))),
  fault('proxy-kill', async ({ world }, random) => world.restartProxy(random.int(0, 300))),
  fault('redis-stop', async ({ world }, _random, stalenessMs) => {
    const [redis] = (world.backend as RingBackend).servers;
    await redis?.kill('SIGSTOP');
    await delay(stalenessMs * 2);
    await redis?.kill('SIGCONT');
  }),
  fault('proxy-stop', async ({ world }, _random, stalenessMs) => {
    process.kill(world.proxyPid, 'SIGSTOP');
    await delay(stalenessMs * 2);
    process.kill(world.proxyPid, 'SIGCONT');
  }),
  fault('client-kill', async (stage, random) => {
    for (const { address } of someLinks(stage, random)) {
      await stage.world.command('CLIENT', 'KILL', 'ADDR', address).catch(gone);
    }
  }),
  fault('table-overflow', async ({ world }) => {
    await world.command('CONFIG', 'SET', 'tracking-table-max-keys', '1');
    await delay(1500);
    await world.command('CONFIG', 'SET', 'tracking-table-max-keys', '1000000');
  }),
  fault('busy-script', async ({ world }, random) => {
    await world.command('CONFIG', 'SET', 'busy-reply-threshold', random.pick(['100', '5000']));
    await world.command('EVAL', STAY_BUSY, '0', '2000');
  }),
  fault('pause', async ({ world }, random) => {
    await world.command('CLIENT', 'PAUSE', '700', random.pick(['WRITE', 'ALL']));
    await delay(700);
  }),
  fault('reload', async ({ world }) => {
    await world.command('DEBUG', 'RELOAD');
  }),
  fault('lazy-expiry', async ({ world }) => {
    await world.command('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    await delay(1500);
    await world.command('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
  }),
];

/** Every kind of run over one Redis. */
const SINGLE_FAULTS: readonly Fault[] = [
  { name: 'none', population: 'standard' },
  ...COMBINABLE,
  {
    name: 'no-active-expiry',
    population: 'standard',
    prepare: async ({ world }) => {
      await world.command('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    },
  },
  {
    name: 'eviction',
    population: 'vanishing',
    strike: evict,
  },
  { name: 'flush', population: 'flushed' },
  {
    name: 'permissions',
    population: 'unscripted',
    user: ACL_USER,
    flags: ['--cache-max-ttl', `${TENANT_MAX_TTL_MS}ms`],
    prepare: loosen,
    strike: async (stage, random) => {
      await tighten(stage);
      await delay(random.int(1500, 2500));
      await loosen(stage);
    },
  },
  {
    name: 'chaos',
    population: 'standard',
    strike: (stage, random, stalenessMs) =>
      random.pick(COMBINABLE).strike?.(stage, random, stalenessMs) ?? Promise.resolve(),
  },
];

/** Faults of the network and of nearcache itself, which may befall any topology. */
const EVERYWHERE = COMBINABLE.filter(({ name }) =>
  ['delay', 'cut', 'half-open', 'drop', 'proxy-kill', 'proxy-stop'].includes(name),
);

/** Every kind of run. */
export const FAULTS: Readonly<Record<Topology, readonly Fault[]>> = {
  single: SINGLE_FAULTS,
  ring: [...RING_FAULTS, ...EVERYWHERE],
  cluster: [...CLUSTER_FAULTS, ...EVERYWHERE],
  sentinel: [...SENTINEL_FAULTS, ...EVERYWHERE],
};

/** All links of nearcache to Redis, or the one that is shared by all, or the others. */
function someLinks({ world }: Stage, random: Random): readonly Link[] {
  const links = world.links.toSorted((a, b) => b.receivedBytes - a.receivedBytes);
  return random.pick([links, links, links.slice(0, 1), links.slice(1)]);
}

/** CLIENT KILL finds nobody: the link has ended by itself. */
function gone(error: Error): void {
  if (!error.message.includes('No such client')) throw error;
}

async function evict({ world }: Stage): Promise<void> {
  const used = Number(/used_memory:(\d+)/.exec(JSON.stringify(await world.command('INFO', 'memory')))?.[1]);
  await world.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  await world.command('CONFIG', 'SET', 'maxmemory', String(used + 500_000));
  const end = performance.now() + 1500;
  for (let i = 0; performance.now() < end; i++) {
    await world.command('SET', `filler:${i % 200}`, FILLER);
    await delay(3);
  }
  await world.command('CONFIG', 'SET', 'maxmemory', '0');
}
