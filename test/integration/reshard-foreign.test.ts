import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { Ring, ringFingerprint } from '../../src/route/ring.ts';
import { printRecord, RING_KEY, type RingState } from '../../src/route/ring-record.ts';
import { eventually } from '../../src/drill/servers/eventually.ts';
import { oneByOne, textOfReply } from '../support/over-ring.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { RingFiles, ringYaml } from '../support/ring-files.ts';
import { startRing, type Ring as Servers } from '../support/ring-servers.ts';

/** What the servers call GETSET, so that it is a command with a key which nearcache's table does not have. */
const FOREIGN = 'legacy.getset';
const placing = { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '{}' } as const;

let servers: Servers;
let direct: Redis[];
let nearcache: Nearcache;
let client: RawClient;
let rings: { old: Ring; next: Ring; from: string; to: string };
let count = 0;
let seq = 0;

beforeAll(async () => {
  servers = await startRing(4, { args: ['--rename-command', 'GETSET', FOREIGN] });
  direct = servers.shards.map(({ server }) => new Redis(server.port, { protocol: 2 }));
  const plans = [servers.shards.slice(0, 3), servers.shards].map((shards) => ({
    ...placing,
    shards: shards.map(({ name }) => ({ name, weight: 1 })),
  }));
  const [old, next] = plans as [(typeof plans)[number], (typeof plans)[number]];
  rings = {
    old: new Ring(old, old.shards),
    next: new Ring(next, next.shards),
    from: ringFingerprint(old, old.shards),
    to: ringFingerprint(next, next.shards),
  };
});

afterAll(async () => {
  for (const redis of direct) redis.disconnect();
  await servers.stop();
});

beforeEach(async () => {
  await Promise.all(direct.map((redis) => redis.flushall()));
  const config = new RingFiles().write('ring.yaml', ringYaml(servers.shards.slice(0, 3), servers.shards));
  nearcache = await startNearcache({ upstream: undefined, flags: ['--config', config] });
  client = await connectRaw(nearcache);
});

afterEach(async () => {
  client.close();
  await nearcache.stop();
});

/** A new key that the first server is to give to the fourth, with a value where it is. */
async function leavingKey(value: string): Promise<string> {
  for (;;) {
    const key = `leaving${++count}`;
    const bytes = Buffer.from(key);
    const isLeaving =
      rings.old.place(bytes, 0, bytes.length) === 0 && rings.next.place(bytes, 0, bytes.length) === 3;
    if (!isLeaving) continue;
    await direct[0]?.set(key, value);
    return key;
  }
}

/** As the tool would, but that it waits for nobody. */
async function stepTo(state: RingState): Promise<void> {
  const { from, to } = rings;
  const record = printRecord({ id: 'test', seq: ++seq, state, from, to, method: 'migrate' });
  await Promise.all(direct.map((redis) => redis.set(RING_KEY, record)));
}

/** Nearcache has seen it: it moves a key. */
async function migrating(): Promise<void> {
  await stepTo('migrating');
  const probe = await leavingKey('probe');
  await eventually('nearcache moves keys', async () => {
    await client.call('GET', probe);
    return (await direct[3]?.get(probe)) === 'probe' ? true : undefined;
  });
}

/** What the servers have of a key, in their order. */
function copies(key: string): Promise<(string | null)[]> {
  return Promise.all(direct.map((redis) => redis.get(key)));
}

describe('a command that the table does not know, while the ring is being changed', () => {
  test('runs behind the move of its key', async () => {
    const key = await leavingKey('old');
    await migrating();
    expect(await textOfReply(client.call(FOREIGN, key, 'new'))).toBe('$3\r\nold\r\n');
    expect(await copies(key)).toEqual([null, null, null, 'new']);
  });

  test('is queued in a transaction behind the move of its key', async () => {
    const key = await leavingKey('old');
    await migrating();
    expect(await oneByOne(client, [['MULTI'], [FOREIGN, key, 'new'], ['EXEC']])).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n$3\r\nold\r\n',
    ]);
    expect(await copies(key)).toEqual([null, null, null, 'new']);
  });

  test('runs beside a watched key behind the move of its own', async () => {
    const [key, watched] = [await leavingKey('old'), await leavingKey('watched')];
    await migrating();
    expect(
      await oneByOne(client, [
        ['WATCH', watched],
        [FOREIGN, key, 'new'],
      ]),
    ).toEqual(['+OK\r\n', '$3\r\nold\r\n']);
    expect(await copies(key)).toEqual([null, null, null, 'new']);
  });

  test('waits while nobody may use its key', async () => {
    const key = await leavingKey('old');
    const held = await leavingKey('held');
    await stepTo('prepared');
    await textOfReply(client.call(FOREIGN, key, 'older'));
    await stepTo('hold');
    const other = await connectRaw(nearcache);
    await eventually('its shard is held', async () => {
      other.request(['GET', held]);
      return (await other.readFrame(200).catch(() => undefined)) === undefined ? true : undefined;
    });
    client.request([FOREIGN, key, 'new']);
    await stepTo('migrating');
    expect(await textOfReply(client.readFrame())).toBe('$5\r\nolder\r\n');
    expect(await copies(key)).toEqual([null, null, null, 'new']);
    other.close();
  });
});
