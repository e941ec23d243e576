// What is said of keys that do not exist when nobody can be asked is what Redis says of them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { absentReply } from '../../../src/command/absent-reply.ts';
import { allCommands, commandByName } from '../../../src/command/table.ts';
import type { CommandSpec } from '../../../src/command/spec.ts';
import { toResp2 } from '../../../src/protocol/resp2.ts';
import { resp2ShapeOf } from '../../../src/protocol/resp2-shapes.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

/** Behind the name, with a blank between arguments. No key exists. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  bitcount: ['k', 'k 0 -1', 'k 0 -1 BIT'],
  exists: ['k', 'k l m', 'k k'],
  expiretime: ['k'],
  geodist: ['k a b', 'k a b km'],
  geohash: ['k a', 'k a b c'],
  geopos: ['k a', 'k a b c'],
  georadius_ro: ['k 1 1 1 m', 'k 1 1 1 m WITHCOORD WITHDIST COUNT 1'],
  georadiusbymember_ro: ['k a 1 m', 'k a 1 m WITHHASH'],
  geosearch: ['k FROMLONLAT 1 1 BYRADIUS 1 m', 'k FROMMEMBER a BYBOX 1 1 m ASC COUNT 1 WITHDIST'],
  get: ['k'],
  getbit: ['k 7'],
  getrange: ['k 0 -1', 'k 5 1'],
  hexists: ['k f'],
  hget: ['k f'],
  hgetall: ['k'],
  hkeys: ['k'],
  hlen: ['k'],
  hmget: ['k f', 'k f g f'],
  hstrlen: ['k f'],
  hvals: ['k'],
  lindex: ['k 0', 'k -1'],
  llen: ['k'],
  lrange: ['k 0 -1'],
  mget: ['k', 'k l k'],
  pexpiretime: ['k'],
  scard: ['k'],
  sismember: ['k m'],
  smembers: ['k'],
  smismember: ['k m', 'k m n m'],
  strlen: ['k'],
  substr: ['k 0 -1'],
  type: ['k'],
  xlen: ['k'],
  xrange: ['k - +', 'k - + COUNT 0', 'k (1-1 + COUNT 5'],
  xrevrange: ['k + -', 'k + - COUNT 1'],
  zcard: ['k'],
  zcount: ['k -inf +inf'],
  zlexcount: ['k - +'],
  zmscore: ['k m', 'k m n m'],
  zrange: ['k 0 -1', 'k 0 -1 WITHSCORES', 'k + - BYLEX REV', 'k 0 1 BYSCORE LIMIT 0 1 WITHSCORES'],
  zrangebylex: ['k - +', 'k - + LIMIT 0 1'],
  zrangebyscore: ['k 0 1', 'k 0 1 WITHSCORES LIMIT 0 1'],
  zrevrange: ['k 0 -1', 'k 0 -1 WITHSCORES'],
  zrevrangebylex: ['k + -'],
  zrevrangebyscore: ['k 1 0', 'k 1 0 WITHSCORES'],
  zscore: ['k m'],
};

/** Cacheable, and yet never made up. */
const NOT_MADE_UP: Readonly<Record<string, string>> = {
  bitfield_ro: 'it depends on the operations, and on whether they may be refused',
  bitpos: 'it depends on the bit that is looked for',
  lpos: 'COUNT makes an array of it',
  zrank: 'since Redis 7.2 WITHSCORE makes an array of it',
  zrevrank: 'since Redis 7.2 WITHSCORE makes an array of it',
};

const cacheable = allCommands().filter(({ cacheClass }) => cacheClass === 'A' || cacheClass === 'B');

describe('a reply for keys that do not exist', () => {
  let redis: RedisServer;
  let two: RawClient;
  let three: RawClient;

  beforeAll(async () => {
    redis = await startRedis();
    two = await connectRaw(redis);
    three = await connectRaw(redis);
    await three.call('HELLO', '3');
  });
  afterAll(async () => {
    two.close();
    three.close();
    await redis.stop();
  });

  it.each(cacheable.map(({ name }) => [name]))('%s: is known, or there is a reason why not', (name) => {
    const isMadeUp = absentReply(commandByName(name) as CommandSpec, 3) !== undefined;
    expect(isMadeUp).toBe(NOT_MADE_UP[name] === undefined);
    expect(CALLS[name] !== undefined).toBe(isMadeUp);
  });

  const calls = Object.entries(CALLS).flatMap(([name, lines]) => lines.map((line) => [name, line] as const));

  it.each(calls)('%s %s: is what Redis says, in both protocols', async (name, line) => {
    const args = line.split(' ');
    const spec = commandByName(name) as CommandSpec;
    const argc = 1 + args.length;
    const frame = absentReply(spec, argc) as Buffer;
    expect(frame.toString('latin1')).toBe((await three.call(name, ...args)).toString('latin1'));
    const how = { shape: resp2ShapeOf(name), argc, inExec: false, queued: undefined };
    const inResp2 = toResp2(frame, 0, frame.length, how);
    expect(inResp2.toString('latin1')).toBe((await two.call(name, ...args)).toString('latin1'));
  });

  it('is none where there are too few arguments, or too many to make up', () => {
    for (const name of ['hmget', 'mget', 'zmscore', 'smismember', 'geopos']) {
      const spec = commandByName(name) as CommandSpec;
      expect(absentReply(spec, 1)).toBeUndefined();
      expect(absentReply(spec, 2000)).toBeUndefined();
    }
    expect(absentReply(commandByName('hmget') as CommandSpec, 2)).toBeUndefined();
  });

  it('is none for what is no read of one key, or of several that each has an entry', () => {
    for (const spec of allCommands()) {
      if (!cacheable.includes(spec)) expect(absentReply(spec, 3), spec.name).toBeUndefined();
    }
  });
});
