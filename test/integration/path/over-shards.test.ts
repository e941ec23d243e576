import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { eventually } from '../../../src/drill/servers/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { askAt, inOneWrite, oneByOne, textOfReply, useRing } from '../../support/over-ring.ts';

const stage = useRing();

describe('over several shards', () => {
  test('replies come in the order of the requests, whether they are split or not', async () => {
    const client = await stage.connect();
    const [a, b, c] = stage.keys;
    const expected: string[] = [];
    const lines: string[][] = [];
    for (let i = 0; i < 200; i++) {
      lines.push(['MSET', a, `a${i}`, b, `b${i}`, c, `c${i}`], ['GET', b], ['MGET', c, a], ['INCR', `n${i}`]);
      lines.push(['EXISTS', a, b, 'missing', c], ['DEL', a, b], ['MGET', a, b, c], ['DBSIZE']);
      const [value, other, first] = [`b${i}`, `c${i}`, `a${i}`].map(
        (text) => `$${text.length}\r\n${text}\r\n`,
      );
      expected.push('+OK\r\n', `${value}`, `*2\r\n${other}${first}`, ':1\r\n', ':3\r\n', ':2\r\n');
      expected.push(`*3\r\n$-1\r\n$-1\r\n${other}`, `:${i + 2}\r\n`);
    }
    expect(await inOneWrite(client, lines)).toEqual(expected);
  });

  test('a split command with a value too few is answered by Redis and harms nobody', async () => {
    const [client, other] = [await stage.connect(), await stage.connect()];
    const [a, b] = stage.keys;
    expect(await textOfReply(client.call('MSET', a, '1', b))).toBe(
      "-ERR wrong number of arguments for 'mset' command\r\n",
    );
    expect(
      await oneByOne(other, [
        ['SET', b, 'v'],
        ['MGET', a, b],
      ]),
    ).toEqual(['+OK\r\n', '*2\r\n$-1\r\n$1\r\nv\r\n']);
  });

  test('an inline request is split like any other', async () => {
    const client = await stage.connect();
    const [a, b] = stage.keys;
    client.send(`MSET ${a} 1 ${b} "two words"\r\nMGET ${b} ${a}\r\n`);
    expect((await client.readFrames(2)).join('')).toBe('+OK\r\n*2\r\n$9\r\ntwo words\r\n$1\r\n1\r\n');
  });

  test('SCAN finds each key once, whatever it filters by', async () => {
    const client = await stage.connect();
    const names = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
    await client.call('MSET', ...names.flatMap((name) => [name, 'v']));
    await client.call('RPUSH', 'list', 'x');
    const scan = async (...options: string[]): Promise<string[]> => {
      const found: string[] = [];
      let cursor = '0';
      do {
        const reply = await textOfReply(client.call('SCAN', cursor, ...options));
        const [next = '0', ...more] = [...reply.matchAll(/\$\d+\r\n([^\r]*)/g)].map(([, text = '']) => text);
        cursor = next;
        found.push(...more);
      } while (cursor !== '0');
      return found.toSorted();
    };
    expect(await scan('COUNT', '100')).toEqual([...names, 'list'].toSorted());
    expect(await scan('MATCH', 'scan:1*')).toEqual(
      names.filter((name) => name.startsWith('scan:1')).toSorted(),
    );
    expect(await scan('TYPE', 'list')).toEqual(['list']);
    expect(await textOfReply(client.call('SCAN', 'x'))).toBe('-ERR invalid cursor\r\n');
  });

  test('CLIENT REPLY OFF silences split commands, too', async () => {
    const client = await stage.connect();
    const [a, b] = stage.keys;
    client.request(['CLIENT', 'REPLY', 'OFF']);
    for (const line of [['MSET', a, '1', b, '2'], ['MGET', a, b], ['DEL', b, 'x', a, 'y'], ['DBSIZE']]) {
      client.request(line);
    }
    client.request(['MSET', a, '3', b, '4']);
    client.request(['CLIENT', 'REPLY', 'ON']);
    expect(await textOfReply(client.readFrame())).toBe('+OK\r\n');
    client.request(['CLIENT', 'REPLY', 'SKIP']);
    client.request(['MGET', a, b]);
    expect(await textOfReply(client.call('MGET', b, a))).toBe('*2\r\n$1\r\n4\r\n$1\r\n3\r\n');
  });

  test('SELECT goes for all shards', async () => {
    const client = await stage.connect();
    const [a, b] = stage.keys;
    const replies = await inOneWrite(client, [
      ['MSET', a, 'zero', b, 'zero'],
      ['SELECT', '3'],
      ['MGET', a, b],
      ['MSET', a, 'three', b, 'three'],
      ['GET', b],
      ['DBSIZE'],
      ['SELECT', '99'],
      ['GET', a],
      ['SELECT', '0'],
      ['MGET', a, b],
    ]);
    expect(replies.slice(2)).toEqual([
      '*2\r\n$-1\r\n$-1\r\n',
      '+OK\r\n',
      '$5\r\nthree\r\n',
      ':2\r\n',
      '-ERR DB index is out of range\r\n',
      '$5\r\nthree\r\n',
      '+OK\r\n',
      '*2\r\n$4\r\nzero\r\n$4\r\nzero\r\n',
    ]);
  });

  test('what one user has cached another may not read', async () => {
    const [client, alice] = [await stage.connect(), await stage.connect()];
    const [a, b, c] = stage.keys;
    await client.call('MSET', a, '1', b, '2', c, '3');
    await client.call('ACL', 'SETUSER', 'alice', 'on', '>pw', `~${a}`, `~${b}`, '+@read', '+auth', '+client');
    const warm = await oneByOne(client, [
      ['MGET', a, b, c],
      ['MGET', a, b, c],
      ['GET', c],
    ]);
    expect(await textOfReply(alice.call('AUTH', 'alice', 'pw'))).toBe('+OK\r\n');
    const replies = await oneByOne(alice, [
      ['GET', c],
      ['MGET', a, c],
      ['MGET', a, b],
      ['MGET', b, a],
      ['DEL', a, b],
    ]);
    expect(warm[1]).toBe('*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n');
    expect(replies.map((reply) => reply.slice(0, 7))).toEqual([
      '-NOPERM',
      '-NOPERM',
      '*2\r\n$1\r',
      '*2\r\n$1\r',
      '-NOPERM',
    ]);
    expect(await textOfReply(client.call('ACL', 'DELUSER', 'alice'))).toBe(':1\r\n');
  });

  test('a command that no server knows gets their error, one that they do finds its shard', async () => {
    const client = await stage.connect();
    expect(await oneByOne(client, [['NOSUCH'], ['NOSUCH', stage.keys[1]], ['GET', stage.keys[1]]])).toEqual([
      "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
      `-ERR unknown command 'NOSUCH', with args beginning with: '${stage.keys[1]}' \r\n`,
      '$-1\r\n',
    ]);
  });

  test.each([0, 1, 2])('CLIENT UNBLOCK finds who blocks on shard %i', async (i) => {
    const [client, blocked] = [await stage.connect(), await stage.connect()];
    const id = (await textOfReply(blocked.call('CLIENT', 'ID'))).slice(1, -2);
    blocked.request(['BLPOP', stage.keys[i] as string, '0']);
    const server = stage.ring.shards[i]?.server as RedisServer;
    await eventually('it blocks', async () =>
      (await askAt(server, 'INFO', 'clients')).includes('blocked_clients:1') ? true : undefined,
    );
    expect(await textOfReply(client.call('CLIENT', 'UNBLOCK', id))).toBe(':1\r\n');
    expect(await textOfReply(blocked.readFrame())).toBe('*-1\r\n');
  });
});

describe('WAIT over several shards', () => {
  let replicas: RedisServer[];

  beforeAll(async () => {
    replicas = await Promise.all(
      stage.ring.shards.slice(0, 2).map(({ server }) =>
        startRedis({
          args: ['--replicaof', `127.0.0.1 ${server.port}`, '--repl-diskless-sync-delay', '0'],
        }),
      ),
    );
    for (const replica of replicas) {
      await eventually('the replica has its data', async () =>
        (await askAt(replica, 'INFO', 'replication')).includes('master_link_status:up') ? true : undefined,
      );
    }
  });

  afterAll(() => Promise.all(replicas.map((replica) => replica.stop())));

  test('tells of the least replicated shard', async () => {
    const client = await stage.connect();
    await client.call('MSET', ...stage.keys.flatMap((key) => [key, 'v']));
    expect(
      await oneByOne(client, [
        ['WAIT', '0', '100'],
        ['WAIT', '1', '100'],
      ]),
    ).toEqual([':0\r\n', ':0\r\n']);
  });

  test('lets go of the shards when its client leaves', async () => {
    const client = await stage.connect();
    client.request(['WAIT', '9', '0']);
    const blocked = (count: number) => (): Promise<true | undefined> =>
      Promise.all(stage.ring.shards.map(({ server }) => askAt(server, 'INFO', 'clients'))).then((infos) =>
        infos.every((info) => info.includes(`blocked_clients:${count}\r`)) ? true : undefined,
      );
    await eventually('all shards wait', blocked(1));
    client.close();
    await eventually('no shard waits', blocked(0));
  });
});
