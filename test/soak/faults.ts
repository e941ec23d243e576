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
  {
    name: 'deaf',
    promises: [],
    // Commands arrive and run, and nobody hears of it.
    async play(scene) {
      await scene.hurt('not heard any more', (shard) => relayOf(shard).pause('down'));
      await scene.hold();
      await scene.heal('heard again', (shard) => relayOf(shard).resume('down'));
    },
  },
];

const FAULTS: readonly Fault[] = [
  ...SCENARIOS.filter(({ name }) => OF_DRILLS.includes(name)),
  ...OF_THE_SOAK,
];

const ALL_SHARDS_CHANCE = 0.2;
/** Of the time from one fault to the next. */
const LEAST_SHARE = 0.1;
const MOST_SHARE = 0.4;

/** What strikes in which order: every kind once before one comes again. The same seed gives the same.
 *  Shape: nearcache is killed in the first half alone, so that the life that is there then is a long one. Units: ms. */
export function planFaults(
  random: Random,
  count: number,
  {
    shards,
    everyMs,
    crashes,
  }: { readonly shards: number; readonly everyMs: number; readonly crashes: boolean },
): PlannedFault[] {
  const kinds = crashes ? [...FAULTS, undefined] : FAULTS;
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
      lastsMs: Math.round(everyMs * share),
    });
  }
  return planned;
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.int(0, rest.length - 1), 1)[0] as T);
}
