import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { eventually } from '../../support/eventually.ts';
import { type Nearcache, startNearcache } from '../../support/nearcache.ts';
import { type Argument, connectRaw, encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { type Ring, startRing } from '../../support/ring-servers.ts';

let ring: Ring;
let nearcache: Nearcache;
/** A key of each shard, the first of which is the home shard. */
let keys: [string, string, string];
const open: RawClient[] = [];

const CROSSSLOT = /^-CROSSSLOT /;
const UNSUPPORTED = /^-ERR nearcache: '.*' is not supported through nearcache: /;

beforeAll(async () => {
  ring = await startRing(3);
  nearcache = await startNearcache({ upstream: ring.upstream });
  keys = await keysOf(nearcache, ring);
});

afterAll(async () => {
  await nearcache.stop();
  await ring.stop();
});

beforeEach(async () => {
  await ask((await connect()).call('FLUSHALL'));
});

afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

async function connect(to: { port: number } = nearcache): Promise<RawClient> {
  const client = await connectRaw(to);
  open.push(client);
  return client;
}

async function ask(reply: Promise<Buffer>): Promise<string> {
  return (await reply).toString('latin1');
}

/** Sends all in one write and reads a reply for each. */
async function pipeline(client: RawClient, lines: readonly (readonly Argument[])[]): Promise<string[]> {
  client.send(Buffer.concat(lines.map(encodeRequest)));
  return (await client.readFrames(lines.length)).map((frame) => frame.toString('latin1'));
}

/** Sends one after the other, each behind the reply to the one before. */
async function oneByOne(client: RawClient, lines: readonly (readonly Argument[])[]): Promise<string[]> {
  const replies: string[] = [];
  for (const line of lines) replies.push(await ask(client.call(...line)));
  return replies;
}

async function keysOf(of: { port: number }, { shards }: Ring): Promise<[string, string, string]> {
  const client = await connectRaw(of);
  const found: (string | undefined)[] = [undefined, undefined, undefined];
  for (let i = 0; found.includes(undefined); i++) {
    await client.call('SET', `k${i}`, 'v');
    const at = await Promise.all(shards.map(({ server }) => askServer(server, 'EXISTS', `k${i}`)));
    found[at.indexOf(':1\r\n')] ??= `k${i}`;
  }
  client.close();
  return found as [string, string, string];
}

async function askServer(server: { port: number }, ...args: readonly string[]): Promise<string> {
  const client = await connectRaw(server);
  const reply = await ask(client.call(...args));
  client.close();
  return reply;
}

describe('over several shards', () => {
  test('replies come in the order of the requests, whether they are split or not', async () => {
    const client = await connect();
    const [a, b, c] = keys;
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
    expect(await pipeline(client, lines)).toEqual(expected);
  });

  test('a split command with a value too few is answered by Redis and harms nobody', async () => {
    const [client, other] = [await connect(), await connect()];
    const [a, b] = keys;
    expect(await ask(client.call('MSET', a, '1', b))).toBe(
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
    const client = await connect();
    const [a, b] = keys;
    client.send(`MSET ${a} 1 ${b} "two words"\r\nMGET ${b} ${a}\r\n`);
    expect((await client.readFrames(2)).join('')).toBe('+OK\r\n*2\r\n$9\r\ntwo words\r\n$1\r\n1\r\n');
  });

  test('SCAN finds each key once, whatever it filters by', async () => {
    const client = await connect();
    const names = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
    await client.call('MSET', ...names.flatMap((name) => [name, 'v']));
    await client.call('RPUSH', 'list', 'x');
    const scan = async (...options: string[]): Promise<string[]> => {
      const found: string[] = [];
      let cursor = '0';
      do {
        const reply = await ask(client.call('SCAN', cursor, ...options));
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
    expect(await ask(client.call('SCAN', 'x'))).toBe('-ERR invalid cursor\r\n');
  });

  test('CLIENT REPLY OFF silences split commands, too', async () => {
    const client = await connect();
    const [a, b] = keys;
    client.request(['CLIENT', 'REPLY', 'OFF']);
    for (const line of [['MSET', a, '1', b, '2'], ['MGET', a, b], ['DEL', b, 'x', a, 'y'], ['DBSIZE']]) {
      client.request(line);
    }
    client.request(['MSET', a, '3', b, '4']);
    client.request(['CLIENT', 'REPLY', 'ON']);
    expect(await ask(client.readFrame())).toBe('+OK\r\n');
    client.request(['CLIENT', 'REPLY', 'SKIP']);
    client.request(['MGET', a, b]);
    expect(await ask(client.call('MGET', b, a))).toBe('*2\r\n$1\r\n4\r\n$1\r\n3\r\n');
  });

  test('SELECT goes for all shards', async () => {
    const client = await connect();
    const [a, b] = keys;
    const replies = await pipeline(client, [
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
    const [client, alice] = [await connect(), await connect()];
    const [a, b, c] = keys;
    await client.call('MSET', a, '1', b, '2', c, '3');
    await client.call('ACL', 'SETUSER', 'alice', 'on', '>pw', `~${a}`, `~${b}`, '+@read', '+auth', '+client');
    const warm = await oneByOne(client, [
      ['MGET', a, b, c],
      ['MGET', a, b, c],
      ['GET', c],
    ]);
    expect(await ask(alice.call('AUTH', 'alice', 'pw'))).toBe('+OK\r\n');
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
    expect(await ask(client.call('ACL', 'DELUSER', 'alice'))).toBe(':1\r\n');
  });

  test('a command that no server knows gets their error, one that they do finds its shard', async () => {
    const client = await connect();
    expect(await oneByOne(client, [['NOSUCH'], ['NOSUCH', keys[1]], ['GET', keys[1]]])).toEqual([
      "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
      `-ERR unknown command 'NOSUCH', with args beginning with: '${keys[1]}' \r\n`,
      '$-1\r\n',
    ]);
  });

  test.each([0, 1, 2])('CLIENT UNBLOCK finds who blocks on shard %i', async (i) => {
    const [client, blocked] = [await connect(), await connect()];
    const id = (await ask(blocked.call('CLIENT', 'ID'))).slice(1, -2);
    blocked.request(['BLPOP', keys[i] as string, '0']);
    const server = ring.shards[i]?.server as RedisServer;
    await eventually('it blocks', async () =>
      (await askServer(server, 'INFO', 'clients')).includes('blocked_clients:1') ? true : undefined,
    );
    expect(await ask(client.call('CLIENT', 'UNBLOCK', id))).toBe(':1\r\n');
    expect(await ask(blocked.readFrame())).toBe('*-1\r\n');
  });
});

describe('a transaction over several shards', () => {
  test('with keys on several is told CROSSSLOT and runs nothing', async () => {
    const [a, b] = keys;
    for (const send of [oneByOne, pipeline]) {
      const client = await connect();
      const replies = await send(client, [
        ['MULTI'],
        ['SET', a, 'x'],
        ['SET', b, 'y'],
        ['GET', a],
        ['EXEC'],
        ['MGET', a, b],
      ]);
      expect(replies[2]).toMatch(CROSSSLOT);
      expect(replies.slice(4)).toEqual([
        '-EXECABORT Transaction discarded because of previous errors.\r\n',
        '*2\r\n$-1\r\n$-1\r\n',
      ]);
    }
  });

  test('watches keys of one shard, beside which others may be read', async () => {
    const [client, other] = [await connect(), await connect()];
    const [a, b] = keys;
    expect(await ask(client.call('WATCH', a, b))).toMatch(CROSSSLOT);
    await client.call('MSET', a, '1', b, '2');
    expect(
      await oneByOne(client, [['WATCH', b], ['GET', a], ['MGET', a, b], ['MULTI'], ['INCR', b], ['EXEC']]),
    ).toEqual([
      '+OK\r\n',
      '$1\r\n1\r\n',
      '*2\r\n$1\r\n1\r\n$1\r\n2\r\n',
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n:3\r\n',
    ]);
    await client.call('WATCH', b);
    await other.call('SET', b, '9');
    const replies = await oneByOne(client, [
      ['MULTI'],
      ['INCR', b],
      ['EXEC'],
      ['WATCH', b],
      ['MULTI'],
      ['GET', a],
      ['EXEC'],
    ]);
    expect(replies[2]).toBe('*-1\r\n');
    expect(replies[5]).toMatch(CROSSSLOT);
    expect(replies[6]).toMatch(/^-EXECABORT /);
  });

  test('whose first command has no key is on the home shard', async () => {
    const client = await connect();
    const [a, b] = keys;
    expect(await oneByOne(client, [['MULTI'], ['PING'], ['SET', a, 'v'], ['EXEC']])).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      '+QUEUED\r\n',
      '*2\r\n+PONG\r\n+OK\r\n',
    ]);
    const replies = await oneByOne(client, [['MULTI'], ['PING'], ['SET', b, 'v'], ['EXEC'], ['MGET', a, b]]);
    expect(replies[2]).toMatch(CROSSSLOT);
    expect(replies.slice(3)).toEqual([
      '-EXECABORT Transaction discarded because of previous errors.\r\n',
      '*2\r\n$1\r\nv\r\n$-1\r\n',
    ]);
  });

  test('that has not begun is left by DISCARD, RESET and an EXEC of nothing', async () => {
    const client = await connect();
    const b = keys[1];
    const replies = await oneByOne(client, [
      ['MULTI'],
      ['DISCARD'],
      ['MULTI'],
      ['EXEC'],
      ['MULTI'],
      ['RESET'],
      ['SET', b, 'v'],
    ]);
    expect(replies).toEqual(['+OK\r\n', '+OK\r\n', '+OK\r\n', '*0\r\n', '+OK\r\n', '+RESET\r\n', '+OK\r\n']);
    expect(await oneByOne(client, [['MULTI'], ['QUIT']])).toEqual(['+OK\r\n', '+OK\r\n']);
    await client.closed;
  });

  test.each([
    ['runs on every shard', ['DBSIZE']],
    ['changes what a server is', ['REPLICAOF', 'NO', 'ONE']],
    ['reads keys that it does not name', ['SORT', 'k', 'BY', 'w_*']],
    ['scans', ['SCAN', '0']],
  ])('refuses and is aborted by what %s', async (_, line) => {
    for (const send of [oneByOne, pipeline]) {
      const replies = await send(await connect(), [['MULTI'], line, ['EXEC']]);
      expect(replies[1]).toMatch(UNSUPPORTED);
      expect(replies[2]).toMatch(/^-EXECABORT /);
    }
  });
});

describe('a value above --big-value-size over several shards', () => {
  const big = Buffer.alloc(3 << 20, 'b');

  test('goes to the shard of its key', async () => {
    const client = await connect();
    for (const key of keys) {
      expect(
        await oneByOne(client, [
          ['SET', key, big],
          ['STRLEN', key],
          ['APPEND', key, 'x'],
        ]),
      ).toEqual(['+OK\r\n', `:${big.length}\r\n`, `:${big.length + 1}\r\n`]);
    }
    const sizes = await Promise.all(ring.shards.map(({ server }) => askServer(server, 'DBSIZE')));
    expect(sizes).toEqual([':1\r\n', ':1\r\n', ':1\r\n']);
  });

  test('is part of a transaction, or ends it', async () => {
    const [a, b] = keys;
    for (const send of [oneByOne, pipeline]) {
      const client = await connect();
      expect(await send(client, [['MULTI'], ['SET', b, big], ['STRLEN', b], ['EXEC']])).toEqual([
        '+OK\r\n',
        '+QUEUED\r\n',
        '+QUEUED\r\n',
        `*2\r\n+OK\r\n:${big.length}\r\n`,
      ]);
      const replies = await send(client, [
        ['MULTI'],
        ['SET', b, 'small'],
        ['SET', a, big],
        ['EXEC'],
        ['STRLEN', b],
      ]);
      expect(replies[2]).toMatch(/^-ERR nearcache: 'set' is larger than/);
      expect(replies.slice(3)).toEqual([
        '-EXECABORT Transaction discarded because of previous errors.\r\n',
        `:${big.length}\r\n`,
      ]);
    }
  });

  test('is refused where its shard is not known before it is here', async () => {
    const client = await connect();
    const replies = await oneByOne(client, [
      ['MSET', keys[0], big, keys[1], 'v'],
      ['EXISTS', keys[0]],
    ]);
    expect(replies[0]).toMatch(/^-ERR nearcache: 'mset' is larger than/);
    expect(replies[1]).toBe(':0\r\n');
    const aborted = await oneByOne(client, [
      ['MULTI'],
      ['MSET', keys[0], big],
      ['SET', keys[0], 'v'],
      ['EXEC'],
    ]);
    expect(aborted[1]).toMatch(/^-ERR nearcache: 'mset' is larger than/);
    expect(aborted[3]).toMatch(/^-EXECABORT /);
  });
});

describe('WAIT over several shards', () => {
  let replicas: RedisServer[];

  beforeAll(async () => {
    replicas = await Promise.all(
      ring.shards.slice(0, 2).map(({ server }) =>
        startRedis({
          args: ['--replicaof', `127.0.0.1 ${server.port}`, '--repl-diskless-sync-delay', '0'],
        }),
      ),
    );
    for (const replica of replicas) {
      await eventually('the replica has its data', async () =>
        (await askServer(replica, 'INFO', 'replication')).includes('master_link_status:up')
          ? true
          : undefined,
      );
    }
  });

  afterAll(() => Promise.all(replicas.map((replica) => replica.stop())));

  test('tells of the least replicated shard', async () => {
    const client = await connect();
    await client.call('MSET', ...keys.flatMap((key) => [key, 'v']));
    expect(
      await oneByOne(client, [
        ['WAIT', '0', '100'],
        ['WAIT', '1', '100'],
      ]),
    ).toEqual([':0\r\n', ':0\r\n']);
  });

  test('lets go of the shards when its client leaves', async () => {
    const client = await connect();
    client.request(['WAIT', '9', '0']);
    const blocked = (count: number) => (): Promise<true | undefined> =>
      Promise.all(ring.shards.map(({ server }) => askServer(server, 'INFO', 'clients'))).then((infos) =>
        infos.every((info) => info.includes(`blocked_clients:${count}\r`)) ? true : undefined,
      );
    await eventually('all shards wait', blocked(1));
    client.close();
    await eventually('no shard waits', blocked(0));
  });
});

describe('one of several shards that is down', () => {
  let damaged: Ring;
  let through: Nearcache;
  let at: [string, string, string];

  beforeAll(async () => {
    damaged = await startRing(3);
    through = await startNearcache({ upstream: damaged.upstream, flags: ['--stale-if-error', '0'] });
    at = await keysOf(through, damaged);
    await damaged.shards[1]?.server.kill('SIGKILL');
    const client = await connectRaw(through);
    await eventually('it is known to be down', async () =>
      (await ask(client.call('GET', at[1]))).includes('was not sent') ? true : undefined,
    );
    client.close();
  });

  afterAll(async () => {
    await through.stop();
    await damaged.stop();
  });

  const DOWN = /^-ERR nearcache: shard .*; the command was not sent, try again\r\n$/;

  test('fails its keys and no others', async () => {
    const client = await connect(through);
    const [a, b, c] = at;
    const replies = await pipeline(client, [
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
    const client = await connect(through);
    const [a, , c] = at;
    await client.call('MSET', a, 'old', c, 'old');
    expect(await ask(client.call(command, ...at.flatMap(of)))).toMatch(DOWN);
    const [first, second] = await oneByOne(client, [
      ['GET', a],
      ['GET', c],
    ]);
    expect(first).toMatch(/^\$(-1|3\r\n(old|new))\r\n$/);
    expect(second).toBe(first);
  });

  test('fails what concerns all shards, but for INFO', async () => {
    const client = await connect(through);
    for (const line of [['DBSIZE'], ['KEYS', '*'], ['FLUSHALL'], ['SCRIPT', 'LOAD', 'return 1']]) {
      expect(await ask(client.call(...line))).toMatch(DOWN);
    }
    const info = await ask(client.call('INFO', 'shards'));
    expect(info.match(/up=[01]/g)).toEqual(['up=1', 'up=0', 'up=1']);
  });

  test('fails a transaction of its keys and leaves others alone', async () => {
    const client = await connect(through);
    const [a, b] = at;
    expect((await pipeline(client, [['MULTI'], ['SET', a, 'v'], ['EXEC']])).at(-1)).toBe('*1\r\n+OK\r\n');
    const replies = await pipeline(client, [['MULTI'], ['SET', b, 'v'], ['EXEC']]);
    expect(replies.at(-1)).toMatch(/^-/);
  });
});
