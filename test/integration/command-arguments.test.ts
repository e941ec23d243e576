import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { extractKeys, KeyList, mayBlock } from '../../src/command/keys.ts';
import type { CommandSpec } from '../../src/command/spec.ts';
import { allCommands, resolve } from '../../src/command/table.ts';
import { traps } from '../support/command-grammar.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { requestOf } from '../support/request-of.ts';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

beforeEach(async () => {
  await redis.flushall();
});

function extract(call: readonly string[]): { result: string; keys: string[]; blocks: boolean } {
  const request = requestOf(...call);
  const spec = resolve(request) as CommandSpec;
  const list = new KeyList();
  const result = extractKeys(spec, request, list);
  const keys = Array.from(list.indices.subarray(0, list.count), (i) => request.argLatin1(i));
  return { result, keys, blocks: mayBlock(spec, request) };
}

/** The reply, or the error's text. */
async function ask(call: readonly string[]): Promise<unknown> {
  const args = call.slice(1).map((arg) => Buffer.from(arg, 'latin1'));
  return redis.call(String(call[0]), args).catch((error: Error) => error.message);
}

describe('a call whose keys do not fit', () => {
  const named = allCommands().filter(
    (spec) => spec.keyAccess === 'declared' && spec.place !== 'session' && !spec.subcommands,
  );

  it.each(named)('is refused by Redis: $name', async (spec) => {
    const args = fc.array(fc.oneof(fc.constantFrom(...traps), fc.constant('k')), { maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(args, async (words) => {
        const call = [...spec.name.split('|'), ...words];
        if (extract(call).result !== 'invalid') return;
        expect(await ask(call)).toMatch(/^(ERR|WRONGTYPE|NOSCRIPT) /);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['GET'],
    ['OBJECT FREQ'],
    ['XREAD COUNT 1'],
    ['XREAD STREAMS'],
    ['XREAD STREAMS a b 0'],
    ['ZUNION 0 a'],
    ['ZUNION 3 a b'],
    ['ZUNION 01 a'],
    ['ZUNION +1 a'],
    ['ZUNION -1 a'],
    ['ZUNION 4294967297 a'],
    ['ZUNIONSTORE d 0 a'],
    ['LMPOP 3 a LEFT'],
    ['EVAL_RO return 2 a'],
    ['MSET'],
    ['BLPOP k'],
  ])('is called invalid: %s', async (line) => {
    const call = line.split(' ');
    expect(extract(call)).toMatchObject({ result: 'invalid', keys: [] });
    expect(await ask(call)).toMatch(/^ERR /);
  });
});

describe('a stream command', () => {
  it.each([
    // A group called like an option; COMMAND GETKEYS takes `streams` here for the option.
    ['XREADGROUP COUNT 1 GROUP streams c STREAMS k >', false],
    ['XREADGROUP GROUP streams block STREAMS k >', false],
    ['XREADGROUP NOACK GROUP block streams BLOCK 1 STREAMS k >', true],
    ['XREADGROUP BLOCK 1 GROUP group count COUNT 5 NOACK STREAMS k >', true],
  ])('reads the stream behind its own STREAMS option: %s', async (line, blocks) => {
    const call = line.split(' ');
    await redis.xadd('k', '0-1', 'f', 'v');
    await redis.xgroup('CREATE', 'k', String(call[call.findIndex((word) => word === 'GROUP') + 1]), '0');
    expect(await ask(call)).toEqual(['k', [['0-1', ['f', 'v']]]]);
    expect(extract(call)).toEqual({ result: 'keys', keys: ['k'], blocks });
  });

  it('finds the keys behind an option that only a newer server knows, and BLOCK too', () => {
    const found = extract('XREADGROUP GROUP g c CLAIM 100 BLOCK 0 STREAMS a b > >'.split(' '));
    expect(found).toEqual({ result: 'keys', keys: ['a', 'b'], blocks: true });
  });
});

describe('a read-only script', () => {
  it.each(["redis.call('SET','k','v')", "redis.call('PFCOUNT','h')", "redis.call('PUBLISH','c','m')"])(
    'cannot change a key, so its keys are declared: %s',
    async (body) => {
      await redis.pfadd('h', 'a');
      expect(await ask(['EVAL_RO', `return ${body}`, '0'])).toMatch(/Write commands are not allowed/);
      expect(extract(['EVAL_RO', `return ${body}`, '0']).result).toBe('keys');
      expect(extract(['EVAL', `return ${body}`, '0']).result).toBe('unknown');
    },
  );
});
