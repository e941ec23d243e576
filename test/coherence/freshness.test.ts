// R9: an entry is served only while an answered heartbeat, sent at most D ago, vouches for its link.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { connectRaw } from '../support/raw-client.ts';
import type { RawClient } from '../support/raw-client.ts';
import { eventually, request, say, Sidecar, text, until } from '../support/sidecar.ts';

const D = 400;
/** For clocks that are read at different moments. A busy machine needs no more: who is late reads when less may be served. */
const SLACK_MS = 100;

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    flags: `--max-staleness ${D}ms --link-dead-timeout 2s --command-timeout 1s --connect-timeout 1s --reconnect-max 50ms --stale-if-error 0`,
  });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterAll(() => sidecar.stop());

async function set(key: string, value: string): Promise<void> {
  expect(await say(sidecar.direct, 'SET', key, value)).toBe('+OK');
}

/** Reads the key until an answer is not `old`, each on a session of its own, since a read that goes to Redis hangs here.
 *  Resolves with the time at which the last such read began. */
async function lastServed(key: string, old: string): Promise<number> {
  const end = performance.now() + 10_000;
  let last = 0;
  while (performance.now() < end) {
    const reader = await sidecar.app();
    const start = performance.now();
    reader.request(['GET', key]);
    await sidecar.settled();
    const reply = reader.rest();
    reader.close();
    if (reply.length === 0 || text(reply) !== old) return last;
    last = start;
  }
  throw new Error(`${key} is served for ever`);
}

test('hits go on for long while heartbeats are answered', async () => {
  await set('steady', '1');
  await sidecar.warm(app, 'GET', 'steady');
  const before = await sidecar.runs('get');
  const end = performance.now() + 3 * D;
  let reads = 0;
  while (performance.now() < end) {
    expect(await say(app, 'GET', 'steady')).toBe('1');
    reads++;
    await new Promise(setImmediate);
  }
  // Beats may be late on a busy machine; were they in vain, all would miss after the first D.
  expect((await sidecar.runs('get')) - before).toBeLessThan(reads / 3);
});

test('nothing older than D is served while heartbeats get no answer, whatever else arrives', async () => {
  await set('aged', '1');
  for (let i = 0; i < 40; i++) await sidecar.warm(app, 'GET', `tick${i}`);
  await sidecar.warm(app, 'GET', 'aged');
  const heartbeat = sidecar.gate.stopAt('up', request('HELLO'));
  await heartbeat.reached;
  const since = performance.now();
  // Invalidations keep coming on the link: bytes, but no sign that all of them have come.
  const writer = await connectRaw({ port: sidecar.redis.port });
  let tick = 0;
  const writing = setInterval(() => writer.request(['INCR', `tick${tick++}`]), 20);
  const last = await lastServed('aged', '1');
  clearInterval(writing);
  writer.close();
  expect(last - since).toBeLessThan(D + SLACK_MS);
  heartbeat.release();
  await sidecar.warm(app, 'GET', 'aged');
});

test('a half-open link stops hits within D, and they come back over a new one', async () => {
  await set('cut off', '1');
  await sidecar.warm(app, 'GET', 'cut off');
  const lost = await sidecar.metric('nearcache_shard_connections_lost_total');
  sidecar.relay.halfOpen();
  await set('cut off', '2');
  const written = performance.now();
  expect((await lastServed('cut off', '1')) - written).toBeLessThan(D + SLACK_MS);
  const reply = await eventually('the new value', async () => {
    const answer = await say(app, 'GET', 'cut off');
    return answer.startsWith('-ERR nearcache') ? undefined : answer;
  });
  expect(reply).toBe('2');
  expect(await sidecar.warm(app, 'GET', 'cut off')).toBe('2');
  expect(await sidecar.metric('nearcache_shard_connections_lost_total')).toBe(lost + 1);
});

test('a stopped nearcache serves nothing older than D when it goes on', async () => {
  await set('asleep', '1');
  await sidecar.warm(app, 'GET', 'asleep');
  process.kill(sidecar.nearcache.pid, 'SIGSTOP');
  await set('asleep', '2');
  const end = performance.now() + D + SLACK_MS;
  app.request(['GET', 'asleep']);
  await until('D has passed', () => performance.now() > end);
  process.kill(sidecar.nearcache.pid, 'SIGCONT');
  expect(text(await app.readFrame())).toBe('2');
});
