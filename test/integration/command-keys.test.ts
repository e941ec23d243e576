import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extractKeys, KeyList } from '../../src/command/keys.ts';
import type { CommandSpec } from '../../src/command/spec.ts';
import { allCommands, resolve } from '../../src/command/table.ts';
import {
  callArbitrary,
  commandDocs,
  traps,
  type CommandDocs,
  type Word,
} from '../support/command-grammar.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { requestOf } from '../support/request-of.ts';

type Call = readonly (string | Buffer)[];

let server: RedisServer;
let redis: Redis;
let docs: Map<string, CommandDocs>;

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
  docs = await commandDocs(redis);
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Commands of the table that may touch keys but that no grammar can generate with keys in it. */
const notGenerated: ReadonlyMap<string, string> = new Map([
  ['debug', 'has no grammar; its keys are unknown by decision'],
  ['module|load', 'names no key'],
  ['module|loadex', 'names no key'],
  ['module|unload', 'names no key'],
  ['nearcache.getlease', 'is unknown to Redis'],
  ['nearcache.setlease', 'is unknown to Redis'],
]);

/** What the grammar allows and the command does not. */
const isValid: ReadonlyMap<string, (words: readonly Word[]) => boolean> = new Map([
  // One destination only: of STORE and STOREDIST the last wins, while COMMAND GETKEYS names both.
  ['georadius', (words) => keysOf(words).length <= 2],
  ['georadiusbymember', (words) => keysOf(words).length <= 2],
  // Either one key, or the empty string there and KEYS.
  ['migrate', migrateIsValid],
]);

function migrateIsValid([, , key, ...rest]: readonly Word[]): boolean {
  const isNamed = key !== undefined && key.text.length > 0;
  return key?.isKey === isNamed && isNamed !== rest.some(isKey);
}

function isKey(word: Word): boolean {
  return word.isKey;
}

function keysOf(words: readonly Word[]): string[] {
  return words.filter(isKey).map((word) => word.text.toString('latin1'));
}

function extract(call: Call): { result: string; keys: string[] } {
  const request = requestOf(...call);
  const list = new KeyList();
  const result = extractKeys(resolve(request) as CommandSpec, request, list);
  return { result, keys: Array.from(list.indices.subarray(0, list.count), (i) => request.argLatin1(i)) };
}

function callsOf(spec: CommandSpec, text: fc.Arbitrary<string>): fc.Arbitrary<{ call: Call; words: Word[] }> {
  return callArbitrary(docs.get(spec.name) as CommandDocs, text)
    .filter(isValid.get(spec.name) ?? ((): boolean => true))
    .map((words) => ({ call: [...spec.name.split('|'), ...words.map((word) => word.text)], words }));
}

async function getkeys(call: Call): Promise<string[]> {
  const keys = (await redis.callBuffer('COMMAND', ['GETKEYS', ...call])) as Buffer[];
  return keys.map((key) => key.toString('latin1'));
}

const generated: readonly CommandSpec[] = allCommands().filter(
  (spec) => spec.keyAccess !== 'none' && !spec.subcommands && !notGenerated.has(spec.name),
);

describe('extractKeys agrees with COMMAND GETKEYS and with the grammar of COMMAND DOCS', () => {
  const text = fc.oneof(fc.stringMatching(/^[a-j]{1,5}$/), fc.constantFrom(...traps));

  it.each(generated)('for generated calls of $name', async (spec) => {
    await fc.assert(
      fc.asyncProperty(callsOf(spec, text), async ({ call, words }) => {
        const { result, keys } = extract(call);
        expect(result).toBe(spec.keyAccess === 'unknown' ? 'unknown' : 'keys');
        expect(keys).toEqual(keysOf(words));
        expect(keys).toEqual(await getkeys(call));
      }),
      { numRuns: 60 },
    );
  });

  it('for every command of the server that has keys', async () => {
    const covered = new Set(generated.map((spec) => spec.name));
    const missing: string[] = [];
    for (const reply of (await redis.call('COMMAND')) as unknown[][])
      missing.push(...uncovered(reply, covered));
    expect(missing).toEqual([]);
  });
});

/** The commands of one COMMAND element, subcommands included, that have keys and are not in `covered`. */
function uncovered(reply: unknown[], covered: ReadonlySet<string>): string[] {
  const flags = reply[2] as string[];
  const keySpecs = reply[8] as unknown[][];
  const isKeyless = keySpecs.every((spec) => (spec[1] as string[]).includes('not_key'));
  const own = !isKeyless || flags.includes('movablekeys') ? [String(reply[0])] : [];
  const children = (reply[9] as unknown[][]).flatMap((child) => uncovered(child, covered));
  return [...own, ...children].filter((name) => !covered.has(name));
}

describe('what a command changes on a real server', () => {
  const names = [
    'string',
    'number',
    'hash',
    'list',
    'set',
    'zset',
    'stream',
    'hll',
    'absent',
    'store',
    'limit',
    '1',
  ];
  const universe = [...names, '', '2', 'STOREDIST', 'count'];

  async function refill(): Promise<void> {
    await redis
      .pipeline()
      .flushall()
      .set('string', 'text')
      .set('number', '5', 'EX', 1000)
      .hset('hash', 'store', 1, 'limit', 'x')
      .rpush('list', '1', '2', 'store', 'limit')
      .sadd('set', '1', '2', 'store', 'limit')
      .geoadd('zset', 1, 1, 'store', 2, 2, 'limit')
      .xadd('stream', '0-1', 'f', 'v')
      .xgroup('CREATE', 'stream', 'store', '0')
      .pfadd('hll', 'a', 'b')
      .set('limit', 'text')
      .rpush('store', '3', '2')
      .exec();
  }

  async function digests(): Promise<string[]> {
    return (await redis.call('DEBUG', ['DIGEST-VALUE', ...universe])) as string[];
  }

  /** The keys whose value, or whether they expire, differs after the call; inside MULTI, where nothing blocks. */
  async function changedBy(call: Call): Promise<string[]> {
    await refill();
    const before = await digests();
    await redis.call('MULTI');
    await redis.call(String(call[0]), call.slice(1)).catch(() => undefined);
    await redis.call('EXEC').catch(() => undefined);
    const after = await digests();
    return universe.filter((_, i) => before[i] !== after[i]);
  }

  /** Commands that changed something, so that the test below is known to have had a chance. */
  const effective = new Set<string>();

  it.each(generated.filter((spec) => spec.keyAccess === 'declared'))(
    'is a key that extractKeys found, for generated calls of $name',
    async (spec) => {
      await fc.assert(
        fc.asyncProperty(callsOf(spec, fc.constantFrom(...names)), async ({ call }) => {
          const changed = await changedBy(call);
          if (changed.length > 0) effective.add(spec.name);
          expect(spec.isWrite ? extract(call).keys : []).toEqual(expect.arrayContaining(changed));
        }),
        { numRuns: 60, seed: 7 },
      );
    },
  );

  it('is seen by this test for commands of every form', () => {
    const forms = 'set getex mset del rename copy lmove blmove blpop lmpop bzmpop sort pfcount';
    const missing = `${forms} zunionstore sinterstore geosearchstore xadd`.split(' ');
    expect(missing.filter((name) => !effective.has(name))).toEqual([]);
  });

  it.each([
    ['BITOP AND absent string number', ['absent']],
    ['SMOVE set absent 2', ['set', 'absent']],
    ['PFMERGE absent hll', ['absent']],
    ['PFMERGE absent', ['absent']],
    ['BITFIELD number SET u8 0 1 GET u8 0', ['number']],
    ['GETDEL string', ['string']],
    ['LINSERT list BEFORE 1 limit', ['list']],
    ['ZRANGESTORE absent zset 0 -1', ['absent']],
    ['XDEL stream 0-1', ['stream']],
    // The last of STORE and STOREDIST wins; COMMAND GETKEYS names both.
    ['GEORADIUS zset 0 0 9000 km STORE absent STOREDIST string', ['string']],
    ['GEORADIUS zset 0 0 9000 km STOREDIST string COUNT 9 STORE absent', ['absent']],
    ['GEORADIUSBYMEMBER zset store 9000 km STORE string STORE absent', ['absent']],
    // COMMAND GETKEYS takes the first destination for the option LIMIT and passes over the second.
    ['SORT store STORE limit STORE absent', ['absent']],
    ['SORT store STORE get ALPHA STORE absent LIMIT 0 9', ['absent']],
    ['SORT store GET store STORE absent BY store', ['absent']],
    // Options are C strings.
    ['SORT store STORE\0x absent', ['absent']],
    ['SORT store BY\0 store STORE absent', ['absent']],
  ])('is exactly what %s names', async (line, expected) => {
    const call = line.split(' ');
    expect((await changedBy(call)).toSorted()).toEqual(expected.toSorted());
    expect(extract(call).keys).toEqual(expect.arrayContaining(expected));
  });
});
