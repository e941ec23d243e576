// NEARCACHE.GETLEASE and NEARCACHE.SETLEASE: a value that was loaded before a write or a delete is not stored after it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw, encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { invalidation, say, Sidecar, text, until } from '../../support/sidecar.ts';

const POLICIES = [
  'prefix=leased:;leases=on;leaseWait=60s;leaseTtl=60s',
  'prefix=leased:brief:;leases=on;leaseWait=60s;leaseTtl=1s',
].join(',');
const PINNED_MAX = 8;
const TOKENS_MAX = PINNED_MAX / 2;

let sidecar: Sidecar;
let second: Nearcache;
let app: RawClient;
let other: RawClient;
let elsewhere: RawClient;
let count = 0;
let key = '';

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: `--policy ${POLICIES} --max-pinned ${PINNED_MAX}` });
  second = await startNearcache({ upstream: sidecar.redis.port, flags: ['--policy', POLICIES] });
});
beforeEach(async () => {
  key = `leased:${++count}`;
  app = await sidecar.app();
  other = await sidecar.app();
  elsewhere = await connectRaw({ port: second.port });
});
afterEach(async () => {
  elsewhere.close();
  sidecar.endSessions();
  await sidecar.direct.call('FLUSHALL');
});
afterAll(async () => {
  await second.kill();
  await sidecar.stop();
});

/** [value, token] of a RESP2 reply; '' for nil. */
async function getLease(client: RawClient, name = key): Promise<string[]> {
  const reply = String(await client.call('NEARCACHE.GETLEASE', name));
  const parts = /^\*2\r\n(?:\$-1|\$\d+\r\n([^\r]*))\r\n(?:\$-1|\$\d+\r\n([^\r]*))\r\n$/.exec(reply);
  if (parts === null) throw new Error(reply);
  return [parts[1] ?? '', parts[2] ?? ''];
}

async function tokenFor(client: RawClient, name = key): Promise<string> {
  const [value, token] = await getLease(client, name);
  expect(value).toBe('');
  expect(token).toMatch(/^[0-9a-z]+-[0-9a-z]+$/);
  return token as string;
}

async function setLease(
  client: RawClient,
  token: string,
  value = 'loaded',
  ...rest: string[]
): Promise<string> {
  return say(client, 'NEARCACHE.SETLEASE', key, token, value, ...rest);
}

describe('NEARCACHE.GETLEASE', () => {
  it('answers with the value when there is one, from the near-cache in the end', async () => {
    await say(sidecar.direct, 'SET', key, 'there');
    expect(await getLease(app)).toEqual(['there', '']);
    await until('it is a hit', async () => {
      const runs = await sidecar.runs('get');
      expect(await getLease(app)).toEqual(['there', '']);
      return (await sidecar.runs('get')) === runs;
    });
  });

  it('gives one token, whoever asks next', async () => {
    await tokenFor(app);
    expect(await getLease(app)).toEqual(['', '']);
    expect(await getLease(other)).toEqual(['', '']);
    expect(await getLease(elsewhere)).toEqual(['', '']);
  });

  it('gives no token while a session loads that knows nothing of tokens', async () => {
    expect(await say(app, 'GET', key)).toBe('nil');
    expect(await getLease(other)).toEqual(['', '']);
    await say(app, 'SET', key, 'loaded');
    expect(await getLease(other)).toEqual(['loaded', '']);
  });

  it('lets plain reads wait for the load', async () => {
    const token = await tokenFor(app);
    other.request(['GET', key]);
    elsewhere.request(['GET', key]);
    expect(await setLease(app, token)).toBe('+OK');
    expect(text(await other.readFrame())).toBe('loaded');
    expect(text(await elsewhere.readFrame())).toBe('loaded');
  });

  it('answers in RESP3 with its nil', async () => {
    await app.call('HELLO', '3');
    expect(String(await app.call('NEARCACHE.GETLEASE', key))).toMatch(/^\*2\r\n_\r\n\$\d+\r\n\S+\r\n$/);
    expect(String(await app.call('NEARCACHE.GETLEASE', key))).toBe('*2\r\n_\r\n_\r\n');
  });

  it('keeps its place among pipelined commands', async () => {
    app.send(
      Buffer.concat(
        [
          ['SET', key, '1'],
          ['NEARCACHE.GETLEASE', key],
          ['DEL', key],
          ['NEARCACHE.GETLEASE', `${key}:other`],
          ['ECHO', 'end'],
        ].map(encodeRequest),
      ),
    );
    const replies = (await app.readFrames(5)).map(String);
    expect(replies[1]).toBe('*2\r\n$1\r\n1\r\n$-1\r\n');
    expect(replies[3]).toMatch(/^\*2\r\n\$-1\r\n\$\d+\r\n\S+\r\n$/);
    expect(replies[4]).toBe('$3\r\nend\r\n');
  });

  it('says what Redis says of a key of another type', async () => {
    await sidecar.direct.call('LPUSH', key, '1');
    expect(await say(app, 'NEARCACHE.GETLEASE', key)).toMatch(/^-WRONGTYPE /);
  });

  it('needs a policy with leases', async () => {
    expect(await say(app, 'NEARCACHE.GETLEASE', 'other')).toBe(
      "-ERR nearcache: 'nearcache.getlease' is not supported through nearcache: no policy gives this key leases",
    );
  });

  it('gives half of --max-pinned, until a session that has some leaves', async () => {
    for (let i = 0; i < TOKENS_MAX; i++) await tokenFor(app, `${key}:${i}`);
    expect(await say(other, 'NEARCACHE.GETLEASE', key)).toMatch(/^-ERR nearcache: too many lease tokens/);
    app.close();
    await until('there is room', async () => !(await say(other, 'NEARCACHE.GETLEASE', key)).startsWith('-'));
    // Nobody loads what that session was to load.
    await until('it can be loaded', async () => (await getLease(elsewhere, `${key}:0`))[1] !== '');
  });
});

describe('NEARCACHE.SETLEASE', () => {
  it('stores once, and for everybody', async () => {
    const token = await tokenFor(app);
    expect(await setLease(other, token)).toBe('+OK');
    expect(await say(app, 'GET', key)).toBe('loaded');
    expect(await say(elsewhere, 'GET', key)).toBe('loaded');
    expect(await setLease(other, token, 'again')).toBe('nil');
    expect(await say(sidecar.direct, 'GET', key)).toBe('loaded');
    expect(await say(sidecar.direct, 'EXISTS', `nearcache:lease:{${key}}`)).toBe(':0');
  });

  it('stores with a time to live', async () => {
    const token = await tokenFor(app);
    expect(await setLease(app, token, 'loaded', 'px', '60000')).toBe('+OK');
    const left = Number((await say(sidecar.direct, 'PTTL', key)).slice(1));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  it.each<
    [
      string,
      (who: {
        app: RawClient;
        other: RawClient;
        elsewhere: RawClient;
        direct: RawClient;
      }) => Promise<unknown>,
      string,
    ]
  >([
    ['a write from outside', ({ direct }) => direct.call('SET', key, 'newer'), 'newer'],
    [
      'a write from outside that was deleted again',
      async ({ direct }) => {
        await direct.call('SET', key, 'newer');
        await direct.call('DEL', key);
      },
      'nil',
    ],
    [
      'the same within one script',
      ({ direct }) =>
        direct.call('EVAL', `redis.call('set', KEYS[1], 1) redis.call('del', KEYS[1])`, '1', key),
      'nil',
    ],
    [
      'a write from outside that has expired',
      async ({ direct }) => {
        await direct.call('SET', key, 'newer', 'PX', '1');
        await until('it has expired', async () => (await say(direct, 'EXISTS', key)) === ':0');
      },
      'nil',
    ],
    ['a write through another pod', ({ elsewhere: client }) => client.call('SET', key, 'newer'), 'newer'],
    ['a DEL of the absent key through this pod', ({ other: client }) => client.call('DEL', key), 'nil'],
    [
      'a DEL of the absent key through another pod',
      ({ elsewhere: client }) => client.call('DEL', key),
      'nil',
    ],
    [
      'an UNLINK of many keys through another pod',
      ({ elsewhere: client }) => client.call('UNLINK', 'a', key, 'b'),
      'nil',
    ],
    ['a SET XX of the absent key', ({ elsewhere: client }) => client.call('SET', key, 'newer', 'XX'), 'nil'],
    [
      'a DEL of the absent key in a transaction that arrives whole',
      async ({ elsewhere: client }) => {
        client.send(Buffer.concat([['MULTI'], ['DEL', key], ['EXEC']].map(encodeRequest)));
        await client.readFrames(3);
      },
      'nil',
    ],
    [
      'a DEL of the absent key by a session that watches',
      async ({ elsewhere: client }) => {
        await client.call('WATCH', 'something');
        await client.call('DEL', key);
      },
      'nil',
    ],
    [
      'a DEL of the absent key by a script',
      ({ elsewhere: client }) => client.call('EVAL', `return redis.call('del', KEYS[1])`, '1', key),
      'nil',
    ],
    [
      'a DEL from outside that names the lease',
      ({ direct }) => direct.call('DEL', key, `nearcache:lease:{${key}}`),
      'nil',
    ],
    ['FLUSHALL', ({ direct }) => direct.call('FLUSHALL'), 'nil'],
    [
      'the end of the connections to Redis',
      async ({ direct }) => {
        await direct.call('CLIENT', 'KILL', 'TYPE', 'normal');
        await until('nearcache is back', async () => !(await say(app, 'GET', 'anything')).startsWith('-'));
      },
      'nil',
    ],
  ])('does not store after %s', async (_what, change, value) => {
    const token = await tokenFor(app);
    await change({ app, other, elsewhere, direct: sidecar.direct });
    expect(await setLease(app, token)).toBe('nil');
    expect(await say(sidecar.direct, 'GET', key)).toBe(value);
  });

  it.each<[string, readonly (readonly string[])[]]>([
    ['a value', [['SET', 'KEY', 'newer']]],
    [
      'a value that has gone again',
      [
        ['SET', 'KEY', 'newer'],
        ['DEL', 'KEY'],
      ],
    ],
  ])('does not store after %s of which nearcache has not heard yet', async (_what, writes) => {
    const token = await tokenFor(app);
    const stop = sidecar.gate.stopAt('down', invalidation(key));
    for (const words of writes)
      await sidecar.direct.call(...words.map((word) => (word === 'KEY' ? key : word)));
    await stop.reached;
    expect(await setLease(app, token)).toBe('nil');
    expect(await say(sidecar.direct, 'GET', key)).toBe(writes.length === 1 ? 'newer' : 'nil');
    stop.release();
  });

  it('stores after a write to another key, and after reads of this one', async () => {
    const token = await tokenFor(app);
    await elsewhere.call('DEL', `${key}0`);
    await sidecar.direct.call('GET', key);
    await sidecar.direct.call('EXISTS', key);
    expect(await setLease(app, token)).toBe('+OK');
  });

  it('does not store when the lease is over', async () => {
    key = `leased:brief:${key}`;
    const token = await tokenFor(app);
    await until(
      'the lease is over',
      async () => (await say(sidecar.direct, 'EXISTS', `nearcache:lease:{${key}}`)) === ':0',
    );
    expect(await setLease(app, token)).toBe('nil');
    expect(await say(sidecar.direct, 'EXISTS', key)).toBe(':0');
    const next = await tokenFor(other);
    expect(await setLease(app, next)).toBe('+OK');
  });

  it('takes a token only for its key, its database and on its pod', async () => {
    const token = await tokenFor(app);
    expect(await say(app, 'NEARCACHE.SETLEASE', `${key}:other`, token, 'v')).toBe('nil');
    expect(await setLease(elsewhere, token)).toBe('nil');
    await other.call('SELECT', '1');
    expect(await setLease(other, token)).toBe('nil');
    expect(await setLease(app, 'no-such-token')).toBe('nil');
    expect(await setLease(app, token)).toBe('+OK');
  });

  it('is read at once by the session that stored', async () => {
    const token = await tokenFor(app);
    app.send(
      Buffer.concat([
        encodeRequest(['GET', key]),
        encodeRequest(['NEARCACHE.SETLEASE', key, token, 'mine']),
        encodeRequest(['GET', key]),
      ]),
    );
    expect((await app.readFrames(3)).map(text)).toEqual(['nil', '+OK', 'mine']);
  });

  it('gives its connections back', async () => {
    for (let i = 0; i < 3 * PINNED_MAX; i++) {
      const token = await tokenFor(app);
      expect(await setLease(app, token)).toBe('+OK');
      await app.call('DEL', key);
    }
    expect(await sidecar.metric('nearcache_pinned_connections')).toBeLessThanOrEqual(PINNED_MAX);
  });
});

describe('a mistake', () => {
  it.each([
    [['NEARCACHE.GETLEASE'], "-ERR wrong number of arguments for 'nearcache.getlease' command"],
    [
      ['NEARCACHE.GETLEASE', 'leased:a', 'b'],
      "-ERR wrong number of arguments for 'nearcache.getlease' command",
    ],
    [
      ['nearcache.SetLease', 'leased:a', 't'],
      "-ERR wrong number of arguments for 'nearcache.setlease' command",
    ],
    [['NEARCACHE.SETLEASE', 'leased:a', 't', 'v', 'PX'], '-ERR syntax error'],
    [['NEARCACHE.SETLEASE', 'leased:a', 't', 'v', 'EX', '1'], '-ERR syntax error'],
    [['NEARCACHE.SETLEASE', 'leased:a', 't', 'v', 'PX', 'x'], '-ERR value is not an integer or out of range'],
    [
      ['NEARCACHE.SETLEASE', 'leased:a', 't', 'v', 'PX', '0'],
      "-ERR invalid expire time in 'nearcache.setlease' command",
    ],
    [['NEARCACHE.NOSUCH', 'a'], "-ERR unknown command 'NEARCACHE.NOSUCH', with args beginning with: 'a' "],
  ])('%j is refused in the words of Redis', async (args, expected) => {
    expect(await say(app, ...args)).toBe(expected);
  });

  it('inside MULTI aborts the transaction', async () => {
    expect(await say(app, 'MULTI')).toBe('+OK');
    expect(await say(app, 'NEARCACHE.GETLEASE', key)).toMatch(
      /^-ERR nearcache: 'nearcache.getlease' is not supported/,
    );
    expect(await say(app, 'EXEC')).toMatch(/^-EXECABORT/);
    app.send(Buffer.concat([['MULTI'], ['NEARCACHE.GETLEASE', key], ['EXEC']].map(encodeRequest)));
    expect((await app.readFrames(3)).map(text)[2]).toMatch(/^-EXECABORT/);
  });

  it('is none on a session that watches keys', async () => {
    await app.call('WATCH', 'something');
    const token = await tokenFor(app);
    expect(await setLease(app, token)).toBe('+OK');
  });

  it.each([
    ['NOSCRIPT', '-@scripting'],
    ['NOWATCH', '-watch'],
  ])('of permission is told: %s', async (user, without) => {
    await sidecar.direct.call('ACL', 'SETUSER', user, 'on', '>pw', '~*', '&*', '+@all', without);
    await app.call('AUTH', user, 'pw');
    const reply = await say(app, 'NEARCACHE.GETLEASE', key);
    if (user === 'NOWATCH') expect(reply).toMatch(/^-NOPERM/);
    else expect(reply).toMatch(/^\*2/);
  });
});
