// DESIGN rule 1: no reply may come between the pieces of a push or a MONITOR line, nor behind what was sent after it.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { FrameReader } from '../../support/frame-reader.ts';
import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar } from '../../support/sidecar.ts';

const BIG = 300_000;

let gated: Sidecar;
/** What comes from Redis can be stopped in the middle of a frame. */
let cut: Sidecar;

beforeAll(async () => {
  [gated, cut] = await Promise.all([
    Sidecar.start({ flags: '--big-value-size 256kb' }),
    Sidecar.start({ flags: '--big-value-size 256kb', isGated: false, relay: { splitBytes: 10_000 } }),
  ]);
});
afterEach(() => {
  gated.endSessions();
  cut.relay.resume();
  cut.endSessions();
});
afterAll(() => Promise.all([gated.stop(), cut.stop()]));

/** Redis stops in the middle of what it sends, as soon as a byte of it has come to the app. */
function stopWithFirstByte(app: RawClient): void {
  app.socket.once('data', () => cut.relay.pause('down'));
}

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
  const app = await cut.app();
  await say(app, 'MONITOR');
  stopWithFirstByte(app);
  await cut.direct.call('SET', 'big', 'x'.repeat(BIG));
  app.request(['CLIENT', 'SETNAME', 'n'.repeat(BIG)]);
  await cut.settled();
  cut.relay.resume('down');
  const frames = await framesUntil(app, '-');
  expect(frames).toHaveLength(2);
  expect(frames[0]).toMatch(/"SET" "big" "x+"\r\n$/);
  expect(frames[1]).toMatch(/^-ERR nearcache: CLIENT SETNAME|^-.*client\|setname/i);
});

test('RESET does not end a session’s tracking in the middle of an invalidation', async () => {
  const app = await cut.app();
  await app.call('HELLO', '3');
  expect(await say(app, 'CLIENT', 'TRACKING', 'ON', 'BCAST')).toBe('+OK');
  const came: Buffer[] = [];
  app.socket.on('data', (chunk: Buffer) => came.push(chunk));
  stopWithFirstByte(app);
  const keys = Array.from({ length: 20_000 }, (_, i) => [`some:rather:long:name:${i}`, '1']).flat();
  await cut.direct.call('MSET', ...keys);
  await cut.settled();
  app.request(['RESET']);
  await cut.settled();
  cut.relay.resume('down');
  const frames = await framesUntil(app, '+RESET');
  const reader = new FrameReader();
  reader.push(Buffer.concat(came));
  for (const frame of frames) expect(String(reader.take())).toBe(frame);
  for (const push of frames.slice(0, -1)) expect(push).toMatch(/^>2\r\n\$10\r\ninvalidate\r\n/);
});
