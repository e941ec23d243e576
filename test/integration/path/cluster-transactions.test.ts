// A transaction that is here whole rides the shared connection as one block, and follows its slot to another node.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import type { ClusterNode } from '../../../src/drill/servers/cluster-node.ts';
import type { RedisCluster } from '../../../src/drill/servers/redis-cluster.ts';
import { slotOf } from '../../../src/route/hash-slot.ts';
import { eventually } from '../../../src/drill/servers/eventually.ts';
import { inOneWrite, oneByOne, textOfReply } from '../../support/over-ring.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { startCluster } from '../../support/redis-cluster.ts';

const MOVED = /^-ERR nearcache: slot \d+ has moved .* nothing of the transaction has run/;
const ABORTED = '-EXECABORT Transaction discarded because of previous errors.\r\n';

let cluster: RedisCluster;
/** Only redirects tell it of changes. */
let nearcache: Nearcache;
let client: RawClient;
let count = 0;
/** A new one for each test. */
let key: string;
let from: ClusterNode;
let to: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
});

afterAll(() => cluster.stop());

beforeEach(async () => {
  key = `{transactions${++count}}`;
  from = await cluster.ownerOf(slot());
  to = (await cluster.primaries()).find((node) => node !== from) as ClusterNode;
});

afterEach(async () => {
  client.close();
  await nearcache.stop();
});

function slot(): number {
  return slotOf(Buffer.from(key), 0, key.length);
}

async function start(...flags: string[]): Promise<void> {
  const seldom = ['--topology-refresh', '50s', '--topology-max-age', '1m'];
  nearcache = await startNearcache({ upstream: cluster.url, flags: [...seldom, ...flags] });
  client = await connectRaw(nearcache);
  await eventually('it knows whose the slots are', async () =>
    nearcache.logs.includes('slots have another owner') ? true : undefined,
  );
  await client.call('SET', key, '1');
}

function increment(times: number): string[][] {
  return [['MULTI'], ...Array.from({ length: times }, () => ['INCR', key]), ['EXEC']];
}

describe('a transaction that is here whole', () => {
  test('runs at the node to which its slot has moved, and what is behind it finds what it wrote', async () => {
    await start();
    await cluster.moveSlot(slot(), from, to);
    const lines = [
      ['GET', key],
      ...increment(2),
      ['GET', key],
      ['APPEND', key, '0'],
      ...increment(1),
      ['GET', key],
    ];
    expect(await inOneWrite(client, lines)).toEqual([
      '$1\r\n1\r\n',
      '+OK\r\n',
      '+QUEUED\r\n',
      '+QUEUED\r\n',
      '*2\r\n:2\r\n:3\r\n',
      '$1\r\n3\r\n',
      ':2\r\n',
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n:31\r\n',
      '$2\r\n31\r\n',
    ]);
    expect(await to.call('GET', key)).toBe('31');
  });

  test('is the first to hear that its slot has moved, and nothing of its session overtakes it', async () => {
    await start();
    await cluster.moveSlot(slot(), from, to);
    const lines: string[][] = [];
    const expected: string[] = [];
    for (let i = 2; i < 100; i += 2) {
      lines.push(...increment(1), ['INCR', key], ['GET', key]);
      const text = String(i + 1);
      expected.push(
        '+OK\r\n',
        '+QUEUED\r\n',
        `*1\r\n:${i}\r\n`,
        `:${text}\r\n`,
        `$${text.length}\r\n${text}\r\n`,
      );
    }
    expect(await inOneWrite(client, lines)).toEqual(expected);
  });

  test('goes to a node that nearcache had not heard of, with what is behind it', async () => {
    await start();
    const added = await cluster.addNode();
    await cluster.moveSlot(slot(), from, added);
    const lines = [...increment(2), ['INCR', key], ['GET', key]];
    expect(await inOneWrite(client, lines)).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      '+QUEUED\r\n',
      '*2\r\n:2\r\n:3\r\n',
      ':4\r\n',
      '$1\r\n4\r\n',
    ]);
    await cluster.moveSlot(slot(), added, from);
    await cluster.removeNode(added);
  });

  test('leaves nothing older than itself in the near-cache', async () => {
    await start();
    const reader = await connectRaw(nearcache);
    for (let i = 0; i < 3; i++) expect(await textOfReply(reader.call('GET', key))).toBe('$1\r\n1\r\n');
    await cluster.moveSlot(slot(), from, to);
    expect((await inOneWrite(client, increment(1))).at(-1)).toBe('*1\r\n:2\r\n');
    for (let i = 0; i < 3; i++) expect(await textOfReply(reader.call('GET', key))).toBe('$1\r\n2\r\n');
    reader.close();
  });

  test('is refused while its slot is moving and a key of it is not there any more', async () => {
    await start();
    let replies: string[] = [];
    const between = async (): Promise<void> => {
      replies = await inOneWrite(client, [['MULTI'], ['SET', `${key}new`, 'x'], ['EXEC']]);
    };
    await cluster.moveSlot(slot(), from, to, { between });
    expect(replies).toEqual(['+OK\r\n', expect.stringMatching(MOVED), ABORTED]);
    expect(await textOfReply(client.call('GET', `${key}new`))).toBe('$-1\r\n');
  });

  test('is refused as soon as --redirects-max are used up', async () => {
    await start('--redirects-max', '0');
    await cluster.moveSlot(slot(), from, to);
    const replies = await inOneWrite(client, [...increment(2), ['PING']]);
    const refusal: unknown = expect.stringMatching(MOVED);
    expect(replies).toEqual(['+OK\r\n', refusal, refusal, ABORTED, '+PONG\r\n']);
    expect(await to.call('GET', key)).toBe('1');
  });

  test('keeps the error of a command that no node accepts', async () => {
    await start();
    await cluster.moveSlot(slot(), from, to);
    const replies = await inOneWrite(client, [['MULTI'], ['GET'], ['INCR', key], ['EXEC'], ['GET', key]]);
    expect(replies).toEqual([
      '+OK\r\n',
      "-ERR wrong number of arguments for 'get' command\r\n",
      '+QUEUED\r\n',
      ABORTED,
      '$1\r\n1\r\n',
    ]);
  });
});

test('a transaction in pieces hears that its slot has moved, and runs when it is repeated', async () => {
  await start();
  await cluster.moveSlot(slot(), from, to);
  expect(await oneByOne(client, increment(1))).toEqual(['+OK\r\n', expect.stringMatching(MOVED), ABORTED]);
  expect((await oneByOne(client, increment(1))).at(-1)).toBe('*1\r\n:2\r\n');
});
