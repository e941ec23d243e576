import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario, Scene } from './scenario.ts';
import { withRedis } from './servers/redis-call.ts';
import type { Relay } from './servers/relay.ts';
import type { StageShard } from './stage.ts';

/** Each way; there and back is more than the `--breaker-slow-call` of that drill, and several times less than its `--command-timeout`, since
 *  commands wait for those before them. */
const SLOW_MS = 205;
const PAUSE_WRITES_MS = 3000;
const FILL_BYTES = 65_536;
const FILL_ROOM_BYTES = 2_000_000;
/** More than there is room for. */
const FILL_NAMES: readonly string[] = Array.from(
  { length: (4 * FILL_ROOM_BYTES) / FILL_BYTES },
  (_, i) => `drill:fill:${i}`,
);

const kill = (shard: StageShard): Promise<void> => shard.server.kill('SIGKILL');
const start = (shard: StageShard): Promise<void> => shard.server.restart();

/** What the drill knows how to do. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'stop',
    title: 'A shard is stopped in order (SIGTERM) and started again with its data',
    stage: 'ring',
    hurts: 'the first',
    promises: ['fast fail', 'recovery', 'breakers closed'],
    async play(scene) {
      await scene.hurt('stopped', (shard) => shard.server.kill('SIGTERM'));
      await scene.hold();
      await scene.heal('started', start);
    },
  },
  {
    name: 'kill',
    title: 'A shard dies (SIGKILL) and is started again with its data',
    stage: 'ring',
    hurts: 'the first',
    promises: ['fast fail', 'recovery', 'breakers closed'],
    play: killAndStart,
  },
  {
    name: 'pause',
    title: 'A shard is frozen (SIGSTOP): its connections stay open and nothing comes',
    stage: 'ring',
    hurts: 'the first',
    promises: ['fast fail', 'recovery', 'breakers closed'],
    async play(scene) {
      await scene.hurt('frozen', (shard) => shard.server.kill('SIGSTOP'));
      await scene.hold();
      await scene.heal('thawed', (shard) => shard.server.kill('SIGCONT'));
    },
  },
  {
    name: 'slow',
    title: `The way to a shard takes ${2 * SLOW_MS} ms there and back`,
    stage: 'ring',
    hurts: 'the first',
    flags: { 'breaker-slow-call': '300ms', 'breaker-window': '500ms', 'breaker-volume': '5' },
    promises: ['fast fail', 'recovery', 'breakers closed'],
    async play(scene) {
      await scene.hurt(`${2 * SLOW_MS} ms away`, (shard) => {
        relayOf(shard).delayMs = SLOW_MS;
      });
      await scene.hold();
      await scene.heal('near again', (shard) => {
        relayOf(shard).delayMs = 0;
      });
    },
  },
  {
    name: 'blackhole',
    title: 'The network swallows everything to and from a shard; connections stay open, new ones hang',
    stage: 'ring',
    hurts: 'the first',
    promises: ['fast fail', 'recovery', 'breakers closed'],
    async play(scene) {
      await scene.hurt('swallowed by the network', (shard) => {
        relayOf(shard).pause();
        relayOf(shard).halfOpen();
      });
      await scene.hold();
      await scene.heal('reachable for new connections', (shard) => relayOf(shard).resume());
    },
  },
  {
    name: 'half-open',
    title: 'The connections to a shard are forgotten by the network, without a word; new ones work',
    stage: 'ring',
    hurts: 'the first',
    promises: ['recovery by itself', 'breakers closed'],
    async play(scene) {
      await scene.hurt('connections swallowed', (shard) => relayOf(shard).halfOpen());
      await scene.heal('reachable for new connections', () => {});
      await scene.hold();
    },
  },
  {
    name: 'oom',
    title: 'A shard has no memory left (noeviction)',
    stage: 'ring',
    hurts: 'the first',
    promises: ['reads unharmed', 'writes told of OOM', 'recovery', 'breakers closed'],
    async play(scene) {
      await scene.hurt('full', fill);
      await scene.hold();
      await scene.heal('given memory', async (shard) => {
        await withRedis(shard.server, async (redis) => {
          await redis.config('SET', 'maxmemory', '0');
          await redis.unlink([...FILL_NAMES]);
        });
      });
    },
  },
  {
    name: 'restart-empty',
    title: 'A shard dies (SIGKILL) and is started again without its data',
    stage: 'ring',
    hurts: 'the first',
    keepsData: false,
    promises: ['fast fail', 'recovery', 'breakers closed', 'nothing of before'],
    async play(scene) {
      await scene.hurt('killed', kill);
      await scene.hold();
      scene.loseData();
      await scene.heal('started empty', start);
    },
  },
  {
    name: 'flapping',
    title: 'A shard dies and comes back every second',
    stage: 'ring',
    hurts: 'the first',
    promises: ['fast fail', 'recovery', 'breakers closed'],
    async play(scene) {
      const times = Math.max(2, Math.round(scene.faultMs / 2000));
      for (let i = 1; i <= times; i++) {
        await scene.hurt('killed', kill);
        await delay(1000);
        await scene.heal('started', start);
        if (i < times) await delay(1000);
      }
    },
  },
  {
    name: 'pause-writes',
    title: `A shard holds writes back for ${PAUSE_WRITES_MS / 1000} s (CLIENT PAUSE WRITE), as managed failovers do`,
    stage: 'ring',
    hurts: 'the first',
    // With the times that nearcache has by itself such a pause is no outage; that is what is tried.
    flags: { 'command-timeout': '5s', 'breaker-slow-call': '4s', 'link-dead-timeout': '7s' },
    promises: ['no errors', 'breakers closed'],
    async play(scene) {
      await scene.hurt('writes held back', async (shard) => {
        await withRedis(shard.server, (redis) => redis.call('CLIENT', 'PAUSE', PAUSE_WRITES_MS, 'WRITE'));
      });
      await delay(PAUSE_WRITES_MS);
      await scene.heal('writes let go', () => {});
    },
  },
  {
    name: 'sentinel-failover',
    title: 'A primary dies, and Sentinels promote its replica',
    stage: 'sentinel',
    hurts: 'all',
    promises: ['fast fail', 'recovery', 'breakers closed'],
    play: killAndFailOver,
  },
  {
    name: 'cluster-failover',
    title: 'A primary of a Cluster dies, and its replica takes over',
    stage: 'cluster',
    hurts: 'the first',
    promises: ['fast fail', 'recovery'],
    play: killAndFailOver,
  },
  {
    name: 'dns',
    title: 'The name of the shards is gone; later the connections to one of them break',
    stage: 'named',
    hurts: 'the first',
    promises: ['fast fail', 'recovery', 'breakers closed'],
    async play(scene) {
      const { names } = scene.stage;
      scene.note('the name is gone', () => names?.remove());
      await scene.hold(0.3);
      await scene.hurt('connections cut', (shard) => relayOf(shard).cut());
      await scene.hold(0.7);
      await scene.heal('has its name back', () => names?.restore());
    },
  },
  {
    name: 'all-shards',
    title: 'All shards die at once (SIGKILL) and are started again with their data',
    stage: 'ring',
    hurts: 'all',
    promises: ['fast fail', 'recovery', 'breakers closed'],
    play: killAndStart,
  },
];

async function killAndStart(scene: Scene): Promise<void> {
  await scene.hurt('killed', kill);
  await scene.hold();
  await scene.heal('started', start);
}

/** Replication is asynchronous: what the old primary acknowledged last may not have reached the new one. */
async function killAndFailOver(scene: Scene): Promise<void> {
  scene.loseData();
  await scene.hurt('killed', kill);
  await scene.heal('taken over by its replica', async (shard) => shard.failover?.());
  scene.loseData();
  await scene.hold(0.5);
}

/** Until Redis itself says that it is full. */
async function fill({ server }: StageShard): Promise<void> {
  await withRedis(server, async (redis) => {
    const used = async (): Promise<number> =>
      Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.config('SET', 'maxmemory', String((await used()) + FILL_ROOM_BYTES));
    const block = 'x'.repeat(FILL_BYTES);
    for (const name of FILL_NAMES) {
      const error = await redis.set(name, block).then(() => undefined, String);
      if (error?.includes('OOM')) {
        // The buffers of this connection count as well, and will be gone.
        await redis.config('SET', 'maxmemory', String((await used()) - FILL_ROOM_BYTES / 2));
        return;
      }
    }
    throw new Error('Redis took more than its maxmemory');
  });
}

/** Errors: throws where there is none, as before a Cluster. */
export function relayOf({ name, relay }: StageShard): Relay {
  if (relay === undefined) throw new Error(`there is no relay on the way to ${name}`);
  return relay;
}
