// A client that pipelines reads of a large value, and reads the replies slowly or not at all.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { say, Sidecar, until } from '../../support/sidecar.ts';

const KB = 1024;
const MB = 1024 * KB;
const VALUE_BYTES = 64 * KB;
const READS = 128;

let sidecar: Sidecar;
let app: RawClient;
/** What it has read. */
const got = { bytes: 0 };

beforeAll(async () => {
  sidecar = await Sidecar.start({ isGated: false });
});
beforeEach(async () => {
  app = await sidecar.app();
  got.bytes = 0;
  app.socket.on('data', (chunk: Buffer) => {
    got.bytes += chunk.length;
    app.socket.pause();
  });
  app.socket.pause();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

/** Ask for one key again and again, and read nothing. Until nearcache does no more for it. */
async function pipelineUnread(key: string): Promise<void> {
  await say(sidecar.direct, 'SET', key, 'x'.repeat(VALUE_BYTES));
  app.send(Buffer.concat(Array.from({ length: READS }, () => encodeRequest(['GET', key]))));
  let before = -1;
  await until('it is served no further', async () => {
    await delay(100);
    const now = await sidecar.metric('nearcache_session_sent_bytes_total');
    const isStill = now === before && now > 0;
    before = now;
    return isStill;
  });
}

async function readUntil(bytes: number): Promise<void> {
  while (got.bytes < bytes) {
    app.socket.resume();
    await delay(1);
  }
}

test('a pipeline of one key that is not cached is one read, and its replies are not kept here before they can be read', async () => {
  const runs = await sidecar.runs('get');
  await pipelineUnread('once');
  expect(await sidecar.runs('get')).toBe(runs + 1);
  expect(await sidecar.metric('nearcache_sessions_held_bytes')).toBeLessThan(MB / 2);
  await readUntil(READS * (VALUE_BYTES + '$65536\r\n\r\n'.length));
  expect(await sidecar.runs('get')).toBe(runs + 1);
});

test('what has waited for its client and is known no more is asked for at its turn, and not all of it at once', async () => {
  await pipelineUnread('turns');
  const runs = await sidecar.runs('get');
  await say(sidecar.direct, 'SET', 'turns', 'y'.repeat(VALUE_BYTES));
  const before = await sidecar.metric('nearcache_session_sent_bytes_total');
  await readUntil(MB);
  const served = (await sidecar.metric('nearcache_session_sent_bytes_total')) - before;
  const asked = (await sidecar.runs('get')) - runs;
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(served / VALUE_BYTES + 3);
  expect(asked).toBeLessThan(READS / 2);
});
