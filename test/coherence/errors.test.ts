// R2: an error is never remembered.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { connectRaw } from '../support/raw-client.ts';
import type { RawClient } from '../support/raw-client.ts';
import { say, Sidecar, until } from '../support/sidecar.ts';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    redisArgs: ['--busy-reply-threshold', '50'],
    prepare: async (direct) => {
      await direct.call('ACL', 'SETUSER', 'few', 'on', '>pw', '+@all', '~few:*', '&*');
    },
  });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

test('each WRONGTYPE was said by Redis to that very request', async () => {
  await say(app, 'RPUSH', 'list', 'x');
  const runs = await sidecar.runs('get');
  for (let i = 0; i < 3; i++) expect(await say(app, 'GET', 'list')).toContain('-WRONGTYPE');
  expect(await sidecar.runs('get')).toBe(runs + 3);
});

test('a permission that is given is honoured at once, though Redis announces none', async () => {
  await say(sidecar.direct, 'SET', 'more', 'v');
  expect(await say(app, 'AUTH', 'few', 'pw')).toBe('+OK');
  for (let i = 0; i < 2; i++) expect(await say(app, 'GET', 'more')).toContain('-NOPERM');
  await say(sidecar.direct, 'ACL', 'SETUSER', 'few', '~more');
  expect(await say(app, 'GET', 'more')).toBe('v');
});

test('a permission that is taken away ends what was read with it, once Redis has said so', async () => {
  await say(sidecar.direct, 'ACL', 'SETUSER', 'few', '~lent:*');
  await say(sidecar.direct, 'SET', 'lent:a', '1');
  expect(await say(app, 'AUTH', 'few', 'pw')).toBe('+OK');
  await sidecar.warm(app, 'GET', 'lent:a');
  await say(sidecar.direct, 'ACL', 'SETUSER', 'few', 'resetkeys', '~few:*');
  expect(await say(app, 'GET', 'lent:b')).toContain('-NOPERM');
  expect(await say(app, 'GET', 'lent:a')).toContain('-NOPERM');
});

test('BUSY is over when the script is, and leaves the cache as it was', async () => {
  await say(app, 'SET', 'k', 'v');
  const script = await connectRaw({ port: sidecar.redis.port });
  script.request(['EVAL', 'while true do end', '0']);
  await until('Redis is busy', async () => (await say(app, 'GET', 'k')).startsWith('-BUSY'));
  expect(await say(sidecar.direct, 'SCRIPT', 'KILL')).toBe('+OK');
  await until('the script has ended', async () => (await say(app, 'GET', 'k')) === 'v');
  expect(await sidecar.warm(app, 'GET', 'k')).toBe('v');
  script.close();
});

async function refusedTtls(): Promise<number> {
  const stats = String(await sidecar.direct.call('INFO', 'commandstats'));
  return Number(/cmdstat_pttl:.*rejected_calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

test('a user who may not ask for a TTL is not cached, and others are', async () => {
  await say(sidecar.direct, 'ACL', 'SETUSER', 'few', '-pttl', '~short');
  const few = await sidecar.app();
  expect(await say(few, 'AUTH', 'few', 'pw')).toBe('+OK');
  await say(sidecar.direct, 'SET', 'short', '1');
  await sidecar.warm(app, 'GET', 'short');
  const [runs, refused] = [await sidecar.runs('get'), await refusedTtls()];
  for (let i = 0; i < 3; i++) expect(await say(few, 'GET', 'short')).toBe('1');
  expect(await sidecar.runs('get')).toBe(runs + 3);
  // Redis notes each refusal in its ACL LOG.
  expect(await refusedTtls()).toBe(refused + 1);
  await sidecar.warm(app, 'GET', 'short');
});
