import type { Scenario, Scene } from '../../src/drill/scenario.ts';
import { relayOf, SCENARIOS } from '../../src/drill/scenarios.ts';
import { callRedis } from '../../src/drill/servers/redis-call.ts';
import type { StageShard } from '../../src/drill/stage.ts';
import type { Random } from '../fuzz/random.ts';

/** What strikes a shard, or all of them. */
export type Fault = Pick<Scenario, 'name' | 'promises' | 'play'>;

/** One of the faults of a soak, before it strikes. Units: ms. */
export interface PlannedFault {
  /** Undefined: nearcache itself is killed. */
  readonly fault: Fault | undefined;
  /** Indexes of the shards that it strikes. */
  readonly shards: readonly number[];
  readonly lastsMs: number;
}

/** Scenarios of the drills that any shard of a ring can take, again and again. */
const OF_DRILLS = [
  'stop',
  'kill',
  'pause',
  'slow',
  'blackhole',
  'half-open',
  'oom',
  'flapping',
  'pause-writes',
];

/** So that nothing comes through while it is decided what is lost. */
async function loseAll(
  scene: Scene,
  text: string,
  lose: (shard: StageShard) => Promise<unknown>,
): Promise<void> {
  for (const shard of scene.shards) relayOf(shard).pause();
  scene.loseData();
  try {
    await scene.heal(text, async (shard) => void (await lose(shard)));
  } finally {
    scene.loseData();
    for (const shard of scene.shards) relayOf(shard).resume();
  }
}

/** Commands arrive and run, and nobody hears of it. */
const DEAF: Fault = {
  name: 'deaf',
  promises: [],
  async play(scene) {
    await scene.hurt('not heard any more', (shard) => relayOf(shard).pause('down'));
    await scene.hold();
    await scene.heal('heard again', (shard) => relayOf(shard).resume('down'));
  },
};

/** Makes nearcache use all that it has against outages. */
export const WARM_UP: Fault = DEAF;

const OF_THE_SOAK: readonly Fault[] = [
  {
    name: 'restart-empty',
    promises: [],
    async play(scene) {
      await scene.hurt('killed', (shard) => shard.server.kill('SIGKILL'));
      await scene.hold();
      await loseAll(scene, 'started empty', async ({ server }) => {
        await server.restart();
        await callRedis(server, ['FLUSHALL']);
      });
    },
  },
  {
    name: 'flushall',
    promises: [],
    async play(scene) {
      await scene.hurt('about to be flushed', () => {});
      await loseAll(scene, 'flushed by somebody', ({ server }) => callRedis(server, ['FLUSHALL']));
    },
  },
  {
    name: 'cut',
    promises: [],
    async play(scene) {
      await scene.hurt('connections reset', (shard) => relayOf(shard).cut());
      await scene.heal('reachable for new connections', () => {});
    },
  },
  {
    name: 'cut-often',
    promises: [],
    async play(scene) {
      for (let i = 0; i < 4; i++) {
        await scene.hurt('connections reset', (shard) => relayOf(shard).cut());
        await scene.hold(0.25);
      }
      await scene.heal('left alone', () => {});
    },
  },
  {
    name: 'client-kill',
    promises: [],
    async play(scene) {
      await scene.hurt('made to kill its clients', async ({ server }) => {
        await callRedis(server, ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
      });
      await scene.heal('open for new ones', () => {});
    },
  },
  DEAF,
];

const FAULTS: readonly Fault[] = [
  ...SCENARIOS.filter(({ name }) => OF_DRILLS.includes(name)),
  ...OF_THE_SOAK,
];

const ALL_SHARDS_CHANCE = 0.2;
/** Of the time from one fault to the next. */
const LEAST_MS = 1500;
const LEAST_SHARE = 0.1;
const MOST_SHARE = 0.4;

/** Units: ms from one fault to the next. */
export interface PlanOptions {
  readonly shards: number;
  readonly everyMs: number;
  /** Is nearcache killed too? In the first half alone, so that the life that is there then is a long one. */
  readonly crashes: boolean;
  /** Names of faults; none = all. */
  readonly only: readonly string[];
}

/** What strikes in which order: every kind once before one comes again. The same seed gives the same.
 *  Errors: throws when there is no fault of such a name. */
export function planFaults(random: Random, count: number, options: PlanOptions): PlannedFault[] {
  const { shards, everyMs, crashes, only } = options;
  const chosen = FAULTS.filter(({ name }) => only.length === 0 || only.includes(name));
  if (chosen.length === 0)
    throw new Error(`no such fault; there are ${FAULTS.map(({ name }) => name).join(', ')}`);
  const kinds = crashes ? [...chosen, undefined] : chosen;
  const planned: PlannedFault[] = [];
  for (let bag: (Fault | undefined)[] = []; planned.length < count; ) {
    if (bag.length === 0) bag = shuffled(random, kinds);
    const fault = bag.pop();
    if (fault === undefined && planned.length >= count / 2) continue;
    const one = random.int(0, shards - 1);
    const isAll = random.chance(ALL_SHARDS_CHANCE);
    const share = LEAST_SHARE + random.next() * (MOST_SHARE - LEAST_SHARE);
    planned.push({
      fault,
      shards: isAll ? Array.from({ length: shards }, (_, shard) => shard) : [one],
      lastsMs: Math.round(Math.max(LEAST_MS, everyMs * share)),
    });
  }
  return planned;
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.int(0, rest.length - 1), 1)[0] as T);
}
