import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import type { Fault } from './faults.ts';
import type { LinkRelay } from './relay.ts';
import type { RingBackend } from './ring-backend.ts';
import { flushOne, loseEverything } from './seed.ts';
import type { Stage } from './stage.ts';

function fault(name: string, strike: NonNullable<Fault['strike']>): Fault {
  return { name, population: 'standard', strike };
}

/** What befalls one shard of a ring. The others are to know nothing of it. */
export const RING_FAULTS: readonly Fault[] = [
  { name: 'none', population: 'standard' },
  fault('shard-kill', async (stage, random) =>
    loseEverything(stage, anyShard(stage, random), random.int(0, 600)),
  ),
  fault('shard-stop', async (stage, random, stalenessMs) => {
    const server = ringOf(stage).servers[anyShard(stage, random)];
    await server?.kill('SIGSTOP');
    await delay(stalenessMs * 2);
    await server?.kill('SIGCONT');
  }),
  fault('shard-partition', async (stage, random, stalenessMs) => {
    const relay = ringOf(stage).relays[anyShard(stage, random)] as LinkRelay;
    relay.isClosed = true;
    const { links } = relay;
    for (const link of links) link.halfOpen();
    await delay(stalenessMs * 4);
    for (const link of links) link.cut();
    relay.isClosed = false;
  }),
  fault('shard-flush', async (stage, random) => {
    await flushOne(stage, anyShard(stage, random));
    await delay(random.int(100, 500));
  }),
];

function ringOf({ world }: Stage): RingBackend {
  return world.backend as RingBackend;
}

function anyShard(stage: Stage, random: Random): number {
  return random.int(0, ringOf(stage).servers.length - 1);
}
