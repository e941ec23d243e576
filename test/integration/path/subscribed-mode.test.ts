// What Redis and nearcache say to the same subscribers, byte for byte.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connectRaw, encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { startRing } from '../../support/ring-servers.ts';
import { until } from '../../support/sidecar.ts';

let redis: RedisServer;
/** Behind nearcache, so that the messages of one side do not come to the other. */
let other: RedisServer;
let nearcache: Nearcache;

beforeAll(async () => {
  [redis, other] = [await startRedis(), await startRedis()];
  nearcache = await startNearcache({ upstream: other.port });
});
afterAll(async () => {
  await nearcache.stop();
  await Promise.all([redis.stop(), other.stop()]);
});

/** A generator of numbers below `end`, the same for the same seed. */
function dice(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % end;
  };
}

describe('a subscribed RESP2 connection', () => {
  test('is refused every other command in the words of Redis', async () => {
    const [direct, through] = [await connectRaw(redis), await connectRaw(nearcache)];
    const listed = String(await direct.call('COMMAND', 'LIST'));
    const allowed = /^(p|s)?(un)?subscribe$|^quit$|^reset$|^monitor$|^p?sync$|^shutdown$/;
    const names = [...listed.matchAll(/\r\n([a-z][^\r]*)(?=\r\n)/g)].map(([, name]) => name as string);
    const commands = names
      .filter((name) => !allowed.test(name))
      .flatMap((name) => [[name], [name.toUpperCase(), 'a'], [name, 'a', 'b'], [name, '1', '2', '3']]);
    commands.push(
      ['NoSuch', 'a'],
      ['client', 'ID'],
      ['CONFIG', 'nosuch'],
      ['debug', 'sleep', '0'],
      ['xgroup', 'create', 'a', 'b', '$'],
    );
    expect(commands.length).toBeGreaterThan(700);
    for (const client of [direct, through]) await client.call('SUBSCRIBE', 'ch');
    const differing: string[] = [];
    for (const command of commands) {
      const [expected, got] = [String(await direct.call(...command)), String(await through.call(...command))];
      if (expected !== got) differing.push(`${command.join(' ')}: ${expected.trim()} | ${got.trim()}`);
    }
    expect(differing).toEqual([]);
    const watcher = await connectRaw(other);
    await until('no other subscriber is left at Redis', async () => {
      const list = String(await watcher.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
      return list.split(' addr=').length === 2;
    });
    watcher.close();
    direct.close();
    through.close();
  });

  test('answers a pipeline of refused and allowed commands in order', async () => {
    const pipeline = [
      'PING',
      'GET k',
      'PING x',
      'SUBSCRIBE b',
      'SET',
      'UNSUBSCRIBE a',
      'NOSUCH',
      'UNSUBSCRIBE b',
      'GET k',
      'PING',
    ];
    const bytes = Buffer.concat(pipeline.map((line) => encodeRequest(line.split(' '))));
    const heard: string[] = [];
    for (const target of [redis, nearcache]) {
      const client = await connectRaw(target);
      await client.call('SUBSCRIBE', 'a');
      client.send(bytes);
      heard.push(String(Buffer.concat(await client.readFrames(pipeline.length))));
      client.close();
    }
    expect(heard[1]).toBe(heard[0]);
  });

  test('may send PING with an argument of any size', async () => {
    const argument = Buffer.alloc(200_000, 'p');
    const client = await connectRaw(nearcache);
    await client.call('SUBSCRIBE', 'a');
    const pong = await client.call('PING', argument);
    expect(
      pong.equals(
        Buffer.concat([Buffer.from('*2\r\n$4\r\npong\r\n$200000\r\n'), argument, Buffer.from('\r\n')]),
      ),
    ).toBe(true);
    client.close();
  });
});

/** Clients at one server, half of them in RESP3. */
class World {
  readonly clients: RawClient[] = [];

  static async open(port: number): Promise<World> {
    const world = new World();
    for (let i = 0; i < 6; i++) {
      const client = await connectRaw({ port });
      if (i % 2 === 1) await client.call('HELLO', '3');
      world.clients.push(client);
    }
    return world;
  }

  send(who: number, commands: readonly string[][]): void {
    this.clients[who]?.send(Buffer.concat(commands.map(encodeRequest)));
  }

  /** Everything that each client is told until it hears the pong of a PING sent now. Redis has then sent all messages. */
  async untilPong(): Promise<string[][]> {
    return Promise.all(
      this.clients.map(async (client) => {
        client.request(['PING', 'barrier']);
        const frames: string[] = [];
        for (;;) {
          const frame = String(await client.readFrame());
          if (frame.includes('barrier')) return frames;
          frames.push(frame);
        }
      }),
    );
  }

  /** So many frames for each client. */
  async frames(counts: readonly number[]): Promise<string[][]> {
    return Promise.all(
      this.clients.map(async (client, i) => (await client.readFrames(counts[i] as number)).map(String)),
    );
  }

  close(): void {
    for (const client of this.clients) client.close();
  }
}

/** Frames of one client as they are compared: replies and confirmations in their order, and the messages, which over several
 *  shards, or by the patterns that one matches, come in any; PUBLISH counts the sessions of a user once. */
function comparable(frames: readonly string[]): string[] {
  const isMessage = (frame: string): boolean => /^[>*]\d\r\n\$\d\r\n[ps]?message/.test(frame);
  const others = frames
    .filter((frame) => !isMessage(frame))
    .map((frame) => frame.replace(/^:[1-9]\d*/, ':n'));
  return [...others, ...frames.filter(isMessage).toSorted()];
}

/** With one hash tag, since a Cluster takes the channels of one SSUBSCRIBE only together. */
const SHARDED = ['{t}a', '{t}b', '{t}ab', '{t}c'];
const NAMES = ['a', 'b', 'ab', 'c'];
const PATTERNS = ['*', 'a*', '?', '[ab]'];

function someCommand(roll: (end: number) => number): string[] {
  const pick = (from: readonly string[]): string[] =>
    Array.from({ length: 1 + roll(2) }, () => from[roll(from.length)] as string);
  switch (roll(9)) {
    case 0:
    case 1:
      return ['SUBSCRIBE', ...pick(NAMES)];
    case 2:
      return ['PSUBSCRIBE', ...pick(PATTERNS)];
    case 3:
      return ['SSUBSCRIBE', ...pick(SHARDED)];
    case 4:
      return ['UNSUBSCRIBE', ...pick(NAMES)];
    case 5:
      return ['PUNSUBSCRIBE', ...pick(PATTERNS)];
    case 6:
      return ['SUNSUBSCRIBE', ...pick(SHARDED)];
    case 7:
      return ['SPUBLISH', SHARDED[roll(4)] as string, String(roll(1000))];
    default:
      return ['PUBLISH', NAMES[roll(4)] as string, String(roll(1000))];
  }
}

/** What is behind nearcache. */
const BEHINDS: readonly {
  name: string;
  start: () => Promise<{ upstream: string; stop: () => Promise<void> }>;
}[] = [
  {
    name: 'one Redis',
    start: async () => {
      const one = await startRedis();
      return { upstream: one.url, stop: () => one.stop() };
    },
  },
  { name: 'a ring of 3 shards', start: () => startRing(3) },
  {
    name: 'a Cluster of 3 primaries',
    start: async () => {
      const cluster = await startCluster();
      return { upstream: cluster.url, stop: () => cluster.stop() };
    },
  },
];

describe.each(BEHINDS)('over $name, subscribers that come, go and publish', ({ start }) => {
  let behind: Awaited<ReturnType<typeof start>>;
  let sidecar: Nearcache;
  beforeAll(async () => {
    behind = await start();
    sidecar = await startNearcache({ upstream: behind.upstream });
  });
  afterAll(async () => {
    await sidecar.stop();
    await behind.stop();
  });

  test.each([1, 2, 3, 4])('hear through nearcache what they hear at Redis (seed %i)', async (seed) => {
    const roll = dice(seed);
    const [direct, through] = [await World.open(redis.port), await World.open(sidecar.port)];
    for (let step = 0; step < 150; step++) {
      const who = roll(6);
      const commands = Array.from({ length: 1 + roll(4) }, () => someCommand(roll));
      direct.send(who, commands);
      through.send(who, commands);
      const expected = await direct.untilPong();
      const got = await through.frames(expected.map((frames) => frames.length));
      const what = `step ${step}, client ${who}: ${commands.map((each) => each.join(' ')).join('; ')}`;
      expect([what, got.map(comparable)]).toEqual([what, expected.map(comparable)]);
    }
    // The last answers to everybody have come, and nothing else.
    await through.frames(askOnce(through));
    expect(through.clients.map((client) => client.rest().length)).toEqual([0, 0, 0, 0, 0, 0]);
    direct.close();
    through.close();
  });
});

/** Asks each client for one more frame. */
function askOnce(world: World): number[] {
  for (const client of world.clients) client.request(['SUBSCRIBE', 'last']);
  return world.clients.map(() => 1);
}
