// DESIGN rule 1: no reply may come between the pieces of a push or a MONITOR line, nor behind what was sent after it.
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar } from '../../support/sidecar.ts';

const BIG = 300_000;

/** So much of a frame comes before Redis stops in the middle of it. */
const BEGINNING = 10_000;

let gated: Sidecar;

beforeAll(async () => {
  gated = await Sidecar.start({ flags: '--big-value-size 256kb' });
});
afterEach(() => gated.endSessions());
afterAll(() => gated.stop());

/** All frames up to one that begins like this. */
async function framesUntil(app: RawClient, beginning: string): Promise<string[]> {
  const frames: string[] = [];
  while (frames.at(-1)?.startsWith(beginning) !== true) frames.push(String(await app.readFrame()));
  return frames;
}

for (const start of [[['MONITOR']], [['MULTI'], ['SUBSCRIBE', 'c'], ['EXEC']]]) {
  const name = start.map((call) => call[0]).join(', ');
  test(`what ${name} starts does not overtake a reply that is held back`, async () => {
    const app = await gated.app();
    const other = await gated.app();
    // So that a transaction takes the connection that the write takes.
    await say(app, 'WATCH', 'unused');
    // The reply to this write is held until the shared connection has answered.
    const stop = gated.gate.stopAt('up', request('PING'));
    const write = ['SET', 'big', 'x'.repeat(BIG)];
    app.send(Buffer.concat([write, ...start].map((call) => encodeRequest(call))));
    await stop.reached;
    for (let i = 0; i < 5; i++) {
      await other.call('WATCH', 'unused');
      await other.call('UNWATCH');
    }
    await gated.direct.call('PUBLISH', 'c', 'seen');
    stop.release();
    const frames = await app.readFrames(1 + start.length);
    expect(frames.map(String).map((frame) => frame.slice(0, 3))).toEqual(
      ['+OK', '+OK', '+QU', '*1\r'].slice(0, 1 + start.length),
    );
    await gated.direct.call('PUBLISH', 'c', 'later');
    expect(String(await app.readFrame())).toContain('later');
  });
}

test('an error of our own waits for the end of the MONITOR line', async () => {
  const app = await gated.app();
  await say(app, 'MONITOR');
  const stop = gated.gate.stopAt('down', (frame) => frame.includes('"SET" "big"'), BEGINNING);
  const begun = once(app.socket, 'data');
  await gated.direct.call('SET', 'big', 'x'.repeat(BIG));
  await begun;
  app.request(['CLIENT', 'SETNAME', 'n'.repeat(BIG)]);
  await gated.settled();
  stop.release();
  const frames = await framesUntil(app, '-');
  expect(frames).toHaveLength(2);
  expect(frames[0]).toMatch(/"SET" "big" "x+"\r\n$/);
  expect(frames[1]).toMatch(/^-ERR nearcache: CLIENT SETNAME|^-.*client\|setname/i);
});

test('RESET does not end a session’s tracking in the middle of an invalidation', async () => {
  const app = await gated.app();
  await app.call('HELLO', '3');
  expect(await say(app, 'CLIENT', 'TRACKING', 'ON', 'BCAST')).toBe('+OK');
  const stop = gated.gate.stopAt('down', (frame) => frame.startsWith('>2'), BEGINNING);
  const keys = Array.from({ length: 20_000 }, (_, i) => [`some:rather:long:name:${i}`, '1']).flat();
  await gated.direct.call('MSET', ...keys);
  await stop.reached;
  await gated.settled();
  app.request(['RESET']);
  await gated.settled();
  expect(String(app.rest())).toBe('+RESET\r\n');
  stop.release();
  await gated.settled();
  expect(await say(app, 'PING')).toBe('+PONG');
});
