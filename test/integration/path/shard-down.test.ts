import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { eventually } from '../../../src/drill/servers/eventually.ts';
import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { inOneWrite, keyOfEach, oneByOne, textOfReply } from '../../support/over-ring.ts';
import { type Ring, startRing } from '../../support/ring-servers.ts';

const open: RawClient[] = [];

afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

describe('one of several shards that is down', () => {
  let damaged: Ring;
  let through: Nearcache;
  let at: [string, string, string];

  beforeAll(async () => {
    damaged = await startRing(3);
    through = await startNearcache({ upstream: damaged.upstream, flags: ['--stale-if-error', '0'] });
    at = await keyOfEach(through, damaged);
    await damaged.shards[1]?.server.kill('SIGKILL');
    const client = await connectRaw(through);
    await eventually('it is known to be down', async () =>
      (await textOfReply(client.call('GET', at[1]))).includes('was not sent') ? true : undefined,
    );
    client.close();
  });

  afterAll(async () => {
    await through.stop();
    await damaged.stop();
  });

  async function connect(): Promise<RawClient> {
    const client = await connectRaw(through);
    open.push(client);
    return client;
  }

  /** Once many have failed the circuit breaker says it. */
  const DOWN = /^-ERR nearcache: shard .*(;| and) the command was not sent, try again\r\n$/;

  test('fails its keys and no others', async () => {
    const client = await connect();
    const [a, b, c] = at;
    const replies = await inOneWrite(client, [
      ['SET', a, '1'],
      ['SET', b, '2'],
      ['SET', c, '3'],
      ['GET', b],
      ['MGET', a, c],
    ]);
    expect([replies[0], replies[2], replies[4]]).toEqual([
      '+OK\r\n',
      '+OK\r\n',
      '*2\r\n$1\r\n1\r\n$1\r\n3\r\n',
    ]);
    expect(replies[1]).toMatch(DOWN);
    expect(replies[3]).toMatch(DOWN);
  });

  test.each([
    ['MGET', (name: string) => [name]],
    ['DEL', (name: string) => [name]],
    ['EXISTS', (name: string) => [name]],
    ['MSET', (name: string) => [name, 'new']],
  ])('gives its error to %s, and treats all other shards alike', async (command, of) => {
    const client = await connect();
    const [a, , c] = at;
    await client.call('MSET', a, 'old', c, 'old');
    expect(await textOfReply(client.call(command, ...at.flatMap(of)))).toMatch(DOWN);
    const [first, second] = await oneByOne(client, [
      ['GET', a],
      ['GET', c],
    ]);
    expect(first).toMatch(/^\$(-1|3\r\n(old|new))\r\n$/);
    expect(second).toBe(first);
  });

  test('fails what concerns all shards, but for INFO', async () => {
    const client = await connect();
    for (const line of [['DBSIZE'], ['KEYS', '*'], ['FLUSHALL'], ['SCRIPT', 'LOAD', 'return 1']]) {
      expect(await textOfReply(client.call(...line))).toMatch(DOWN);
    }
    const info = await textOfReply(client.call('INFO', 'shards'));
    expect(info.match(/up=[01]/g)).toEqual(['up=1', 'up=0', 'up=1']);
  });

  test('fails a transaction of its keys and leaves others alone', async () => {
    const client = await connect();
    const [a, b] = at;
    expect((await inOneWrite(client, [['MULTI'], ['SET', a, 'v'], ['EXEC']])).at(-1)).toBe('*1\r\n+OK\r\n');
    const replies = await inOneWrite(client, [['MULTI'], ['SET', b, 'v'], ['EXEC']]);
    expect(replies.at(-1)).toMatch(/^-/);
  });
});
