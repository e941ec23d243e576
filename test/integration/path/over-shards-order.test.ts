// DESIGN rule 3 over several shards: no answer is older than what an earlier one of the same session has shown.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { type FrameGate, startFrameGate } from '../../support/frame-gate.ts';
import { keyOfEach } from '../../support/over-ring.ts';
import { connectRaw, encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { type Ring, startRing } from '../../support/ring-servers.ts';
import { CALM_FLAGS, request, settled, text } from '../../support/sidecar.ts';

/** Longer than a command waits before what is in front of it is asked for. */
const LONG_MS = 80;

let ring: Ring;
let gates: readonly FrameGate[];
let nearcache: Nearcache;
let clients: RawClient[];
let keys: readonly string[];

beforeAll(async () => {
  ring = await startRing(3);
  gates = await Promise.all(ring.shards.map(({ server }) => startFrameGate(server.port)));
  const upstream = gates.map(({ port }) => `redis://127.0.0.1:${port}`).join(',');
  const flags = [...CALM_FLAGS, '--max-staleness', '5s', '--cache-reread', 'off'];
  nearcache = await startNearcache({ upstream, flags });
  clients = await Promise.all([1, 2, 3].map(() => connectRaw(nearcache)));
  keys = await keyOfEach(nearcache, ring);
});

afterAll(async () => {
  for (const client of clients) client.close();
  await nearcache.stop();
  for (const gate of gates) await gate.stop();
  await ring.stop();
});

test('what waits behind a part that may be read again is not sent before that part is answered', async () => {
  const [app, other, clock] = clients as [RawClient, RawClient, RawClient];
  const [nearGate, farGate] = gates as [FrameGate, FrameGate];
  const [near, far] = keys as [string, string];
  const [held, gone, ahead] = [`{${near}}held`, `{${near}}gone`, `{${far}}ahead`];
  await app.call('MSET', held, '1', far, 'far');
  for (let i = 0; i < 2; i++) expect(text(await app.call('GET', held))).toBe('1');
  const before = farGate.stopAt('up', request('GET', ahead));
  app.request(['GET', ahead]);
  await before.reached;
  const part = nearGate.stopAt('down', (frame) => frame === ':-2\r\n');
  const commands = [
    ['MGET', held, gone, far],
    ['GET', held],
    ['SET', held, 'own'],
  ];
  app.send(Buffer.concat(commands.map((args) => encodeRequest(args))));
  await part.reached;
  await delay(4 * LONG_MS);
  before.release();
  expect(text(await app.readFrame())).toBe('nil');
  await settled(clock);
  // The part is read again, since what it has from the near-cache is over.
  other.request(['SET', held, '2']);
  await settled(clock);
  part.release();
  expect(text(await other.readFrame())).toBe('+OK');
  expect(String(await app.readFrame())).toBe('*3\r\n$1\r\n2\r\n$-1\r\n$3\r\nfar\r\n');
  expect((await app.readFrames(2)).map(text)).toEqual(['2', '+OK']);
});
