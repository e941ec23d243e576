import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { slotOf } from '../../../src/route/hash-slot.ts';
import { startClusterNode } from '../../support/one-node-cluster.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import type { RedisServer } from '../../support/redis-server.ts';

let server: RedisServer;
let redis: RawClient;

beforeAll(async () => {
  server = await startClusterNode();
  redis = await connectRaw(server);
});

afterAll(async () => {
  redis.close();
  await server.stop();
});

/** What Redis says and what we say of keys, looked at in the middle of other bytes. */
async function slotsOf(keys: readonly Buffer[]): Promise<{ theirs: number[]; ours: number[] }> {
  for (const key of keys) redis.request(['CLUSTER', 'KEYSLOT', key]);
  const replies = await redis.readFrames(keys.length);
  return {
    theirs: replies.map((reply) => Number(reply.toString('latin1', 1, reply.length - 2))),
    ours: keys.map((key) =>
      slotOf(Buffer.concat([Buffer.from('{a}'), key, Buffer.from('}')]), 3, 3 + key.length),
    ),
  };
}

test.each([
  ['an empty key', ''],
  ['a plain key', 'user:1'],
  ['the check value of the CRC', '123456789'],
  ['a tag', '{user1}.name'],
  ['a tag at the end', 'name.{user1}'],
  ['nothing but a tag', '{user1}'],
  ['an empty tag', '{}name'],
  ['an empty tag before another', 'a{}{b}c'],
  ['a tag that does not close', 'a{b'],
  ['a brace that closes none', 'a}b{c'],
  ['a brace that closes before one opens', '}{a}'],
  ['a brace within a tag', 'foo{{bar}}zap'],
  ['two tags', 'foo{bar}{zap}'],
])('places %s where Redis does', async (_, key) => {
  const { theirs, ours } = await slotsOf([Buffer.from(key)]);
  expect(ours).toEqual(theirs);
});

test('places 10,000 random binary keys where Redis does', async () => {
  // Braces are common, so that most keys have some rule of tags to get wrong.
  const byte = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 255 }) },
    { weight: 1, arbitrary: fc.constantFrom(123, 125) },
  );
  const keys = fc.sample(
    fc.array(byte, { maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    10_000,
  );

  const { theirs, ours } = await slotsOf(keys);

  expect(ours).toEqual(theirs);
  expect(new Set(ours).size).toBeGreaterThan(5_000);
});
