import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Resp2Row, toResp2 } from '../../src/protocol/resp2.ts';
import { resp2ShapeOf } from '../../src/protocol/resp2-shapes.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

/** Data, then the call, with ` | ` between commands and a blank between arguments. Each runs on a RESP2 and on a RESP3
 *  connection with the same data; then both again inside MULTI and EXEC. */
const zset = 'ZADD z 1 a 2.5 b 3e300 c';
const geo = 'GEOADD g 13.361389 38.115556 palermo 15.087269 37.502669 catania';
const stream = 'XADD s 1-1 f v | XADD s 2-1 g w | XGROUP CREATE s grp 0';
const CALLS: readonly string[] = [
  // The rows where structure differs.
  ...[
    'ZRANGE z 0 -1',
    'ZREVRANGE z 0 -1',
    'ZRANGEBYSCORE z -inf +inf',
    'ZREVRANGEBYSCORE z +inf -inf',
  ].flatMap((call) => [
    `${zset} | ${call}`,
    `${zset} | ${call} WITHSCORES`,
    `${zset} | ${call} withScores`,
    `${call} WITHSCORES`,
    `SET z x | ${call} WITHSCORES`,
  ]),
  `${zset} | ZRANGE z (1 +inf BYSCORE WITHSCORES LIMIT 0 1`,
  'ZADD z 1 withscores | ZRANGE z 0 -1',
  ...['ZDIFF', 'ZINTER', 'ZUNION'].flatMap((name) => [
    `${zset} | ${name} 1 z`,
    `${zset} | ${name} 1 z WITHSCORES`,
    `${zset} | ${name} 2 z no WITHSCORES`,
  ]),
  `${zset} | ZRANDMEMBER z 3`,
  `${zset} | ZRANDMEMBER z 3 WITHSCORES`,
  'ZADD z 1.5 a | ZRANDMEMBER z -3 WITHSCORES',
  'ZADD z 1.5 a | ZRANDMEMBER z',
  'ZRANDMEMBER z',
  'ZRANDMEMBER z 2 WITHSCORES',
  'HSET h f v | HRANDFIELD h',
  'HSET h f v g w | HRANDFIELD h 2',
  'HSET h f v g w | HRANDFIELD h 2 WITHVALUES',
  'HSET h f v | HRANDFIELD h -3 WITHVALUES',
  'HSET h f v | HRANDFIELD h 0 WITHVALUES',
  'HRANDFIELD h',
  'HRANDFIELD h 2 WITHVALUES',
  ...['ZPOPMIN', 'ZPOPMAX'].flatMap((name) => [
    `${zset} | ${name} z`,
    `${zset} | ${name} z 1`,
    `${zset} | ${name} z 2`,
    `${zset} | ${name} z 0`,
    `${name} z`,
    `${name} z 2`,
  ]),
  `${zset} | ZMPOP 1 z MIN COUNT 2`,
  `${zset} | BZMPOP 0.01 1 z MAX COUNT 2`,
  'ZMPOP 1 z MIN',
  'BZMPOP 0.01 1 z MIN',
  ...['BZPOPMIN', 'BZPOPMAX'].flatMap((name) => [`${zset} | ${name} z 0.01`, `${name} z 0.01`]),
  `${stream} | XREAD STREAMS s 0`,
  `${stream} | XADD t 1-1 f v | XREAD COUNT 1 STREAMS t s no 0 0 0`,
  'XREAD STREAMS s 0',
  'XREAD BLOCK 1 STREAMS s 0',
  `${stream} | XREAD BLOCK 1 STREAMS s $`,
  `${stream} | XREADGROUP GROUP grp me STREAMS s >`,
  `${stream} | XREADGROUP GROUP grp me STREAMS s > | XREADGROUP GROUP grp me STREAMS s >`,
  `${stream} | XREADGROUP GROUP grp me STREAMS s > | XREADGROUP GROUP grp me BLOCK 1 STREAMS s >`,
  `${stream} | XREADGROUP GROUP grp me STREAMS s > | XREADGROUP GROUP grp me STREAMS s 0`,
  `${stream} | XREADGROUP GROUP grp me STREAMS s > | XDEL s 1-1 | XREADGROUP GROUP grp me STREAMS s 0`,
  `${stream} | XREADGROUP GROUP grp me STREAMS s 0`,
  'XREADGROUP GROUP grp me STREAMS s >',
  ...['LPOP', 'RPOP'].flatMap((name) => [
    `RPUSH l a b | ${name} l`,
    `RPUSH l a b | ${name} l 1`,
    `RPUSH l a b | ${name} l 0`,
    `${name} l`,
    `${name} l 0`,
    `${name} l 2`,
    `${name} l x`,
  ]),
  'RPUSH l a b | LMPOP 1 l LEFT COUNT 2',
  'LMPOP 1 l LEFT',
  'RPUSH l a b | BLMPOP 0.01 1 l LEFT',
  'BLMPOP 0.01 1 l LEFT',
  ...['BLPOP', 'BRPOP'].flatMap((name) => [`RPUSH l a b | ${name} l 0.01`, `${name} l 0.01`]),
  'RPUSH l a | BLMOVE l m LEFT RIGHT 0.01',
  'BLMOVE l m LEFT RIGHT 0.01',
  'RPUSH l a | BRPOPLPUSH l m 0.01',
  'BRPOPLPUSH l m 0.01',
  'LMOVE l m LEFT RIGHT',
  'RPOPLPUSH l m',
  `${geo} | GEOPOS g palermo no catania`,
  'GEOPOS g palermo no',
  `${geo} | GEOPOS g`,
  `${stream} | XPENDING s grp`,
  `${stream} | XREADGROUP GROUP grp me STREAMS s > | XPENDING s grp`,
  `${stream} | XPENDING s grp - + 10`,
  // Where one expects a difference and there is none but the structural one.
  'GET k',
  'SET k 1 | MGET k no k',
  'HSET h f v | HGETALL h',
  'HGETALL h',
  'HSET h f v | HMGET h f no',
  'SADD set a | SMEMBERS set',
  'SADD set a | SINTER set',
  'SADD set a | SPOP set 1',
  'SPOP set',
  'SADD set a | SMISMEMBER set a b',
  `${zset} | ZSCORE z c`,
  'ZSCORE z a',
  `${zset} | ZMSCORE z a no c`,
  'ZADD z 0.1 a | ZINCRBY z 0.2 a',
  'ZADD z 1 a | ZADD z NX INCR 1 a',
  'ZADD z inf a -inf b | ZRANGE z 0 -1 WITHSCORES',
  'ZADD z 1e-320 a 1e22 b 0.10000000000000001 c | ZRANGE z 0 -1 WITHSCORES',
  `${zset} | ZSCAN z 0`,
  `${zset} | ZRANK z no`,
  'SET n 1 | INCRBYFLOAT n 0.1',
  `${geo} | GEODIST g palermo catania`,
  `${geo} | GEODIST g palermo no`,
  `${geo} | GEOHASH g palermo no`,
  `${geo} | GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHCOORD WITHDIST WITHHASH`,
  'SORT l BY nosort GET # GET no*',
  'RPUSH l 1 | SORT l BY nosort GET # GET no*',
  'BITFIELD b OVERFLOW FAIL INCRBY u2 0 9',
  'MSET a ohmytext b mynewtext | LCS a b IDX',
  'CONFIG GET maxmemory*',
  'COMMAND INFO nosuch',
  'COMMAND INFO get',
  `${stream} | XINFO STREAM s`,
  `${stream} | XINFO GROUPS s`,
  `${stream} | XRANGE s - +`,
  `${stream} | XREADGROUP GROUP grp me STREAMS s > | XCLAIM s grp you 0 1-1 | XAUTOCLAIM s grp me 0 0`,
  'ACL GETUSER default',
  'FUNCTION STATS',
  'FUNCTION LIST',
  'PUBSUB NUMSUB a',
  'MODULE LIST',
  'LOLWUT VERSION 5 1 1 1',
  'OBJECT FREQ no',
  'DEBUG SLEEP 0',
  ...[
    'string',
    'integer',
    'double',
    'null',
    'array',
    'set',
    'map',
    'attrib',
    'bignum',
    'true',
    'false',
    'verbatim',
  ].map((type) => `DEBUG PROTOCOL ${type}`),
  // Scripts follow the structural rule whatever they call.
  `${zset} | EVAL return{redis.call('zrange','z',0,-1,'withscores')} 0`,
  `${zset} | EVAL redis.setresp(3);return{redis.call('zrange','z',0,-1,'withscores')} 0`,
  `${stream} | EVAL redis.setresp(3);return{redis.call('xread','streams','s','0')} 0`,
  `EVAL return{redis.call('lpop','no','1')} 0`,
  'EVAL return{false,1,true} 0',
  'EVAL redis.setresp(3);return{false,true} 0',
  'EVAL return{double=3.5} 0',
  'EVAL return{err="MY|ERROR"} 0',
];

let server: RedisServer;
let data: RawClient;
let resp2: RawClient;
let resp3: RawClient;

beforeAll(async () => {
  server = await startRedis();
  [data, resp2, resp3] = await Promise.all([connectRaw(server), connectRaw(server), connectRaw(server)]);
  await resp3.call('HELLO', '3');
});

afterAll(async () => {
  for (const client of [data, resp2, resp3]) client.close();
  await server.stop();
});

describe('a RESP3 reply that was converted has the bytes that Redis sends in RESP2', () => {
  for (const line of CALLS) {
    const commands = line.split(' | ').map((command) => command.split(' '));
    const call = commands.at(-1) as string[];
    const before = commands.slice(0, -1);

    it(`to ${line}`, async () => {
      const sent = await both(before, (client) => client.call(...call));
      expect(convert(sent.resp3, rowOf(call), false)).toBe(sent.resp2);
    });

    it(`to ${line}, inside EXEC`, async () => {
      const sent = await both(before, (client) => transaction(client, [['PING'], call]));
      expect(convertExec(sent.resp3, [['PING'], call])).toBe(sent.resp2);
    });
  }

  it('to an EXEC of many commands, each by its own row', async () => {
    const calls = CALLS.map((line) => (line.split(' | ').at(-1) as string).split(' ')).filter(
      ([name]) => name !== 'ZRANDMEMBER' && name !== 'HRANDFIELD',
    );
    const sent = await both([zset.split(' ')], (client) => transaction(client, calls));
    expect(convertExec(sent.resp3, calls)).toBe(sent.resp2);
  });

  it('to an EXEC that WATCH aborts', async () => {
    const sent = await both([], async (client) => {
      await client.call('WATCH', 'k');
      await data.call('SET', 'k', '1');
      return transaction(client, [['GET', 'k']]);
    });
    expect(sent.resp3).toBe('_\r\n');
    expect(convertExec(sent.resp3, [['GET', 'k']])).toBe(sent.resp2);
  });

  it('to an EXEC that an error aborts', async () => {
    const sent = await both([], (client) => transaction(client, [['NOSUCH']]));
    expect(convertExec(sent.resp3, [['NOSUCH']])).toBe(sent.resp2);
  });

  it('to an EXEC that subscribes', async () => {
    const sent = await both([], async (client) => {
      const reply = await transaction(client, [
        ['SUBSCRIBE', 'a'],
        ['UNSUBSCRIBE', 'a'],
      ]);
      return reply;
    });
    expect(sent.resp3).toContain('>3');
    expect(
      convertExec(sent.resp3, [
        ['SUBSCRIBE', 'a'],
        ['UNSUBSCRIBE', 'a'],
      ]),
    ).toBe(sent.resp2);
  });

  it('to a pop that CLIENT UNBLOCK ends', async () => {
    const sent = await both([], async (client) => {
      const id = (await client.call('CLIENT', 'ID')).toString().slice(1, -2);
      client.request(['BLMOVE', 'l', 'm', 'LEFT', 'RIGHT', '0']);
      await expect.poll(async () => (await data.call('CLIENT', 'UNBLOCK', id)).toString()).toBe(':1\r\n');
      return client.readFrame();
    });
    expect(convert(sent.resp3, rowOf('BLMOVE l m LEFT RIGHT 0'.split(' ')), false)).toBe(sent.resp2);
  });
});

/** Run the same on both connections, each time with the same data. */
async function both(
  before: readonly string[][],
  run: (client: RawClient) => Promise<Buffer>,
): Promise<{ resp2: string; resp3: string }> {
  const replies: string[] = [];
  for (const client of [resp2, resp3]) {
    await data.call('FLUSHALL');
    for (const command of before) {
      const reply = await data.call(...command);
      expect(reply.toString('latin1')).not.toMatch(/^-/);
    }
    replies.push((await run(client)).toString('latin1'));
  }
  return { resp2: replies[0] as string, resp3: replies[1] as string };
}

async function transaction(client: RawClient, calls: readonly string[][]): Promise<Buffer> {
  for (const call of [['MULTI'], ...calls, ['EXEC']]) client.request(call);
  const replies = await client.readFrames(calls.length + 2);
  return replies.at(-1) as Buffer;
}

function convert(reply: string, row: Resp2Row, inExec: boolean): string {
  const frame = Buffer.from(reply, 'latin1');
  return toResp2(frame, 0, frame.length, { ...row, inExec }).toString('latin1');
}

function convertExec(reply: string, calls: readonly string[][]): string {
  const frame = Buffer.from(reply, 'latin1');
  const how = { shape: 'exec', argc: 1, inExec: false, queued: calls.map(rowOf) } as const;
  return toResp2(frame, 0, frame.length, how).toString('latin1');
}

function rowOf(call: readonly string[]): Resp2Row {
  return { shape: resp2ShapeOf((call[0] as string).toLowerCase()), argc: call.length };
}
