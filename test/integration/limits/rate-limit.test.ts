// A policy's rate limit: how many commands a second may name its keys.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { say, Sidecar } from '../../support/sidecar.ts';

const RATE = 5;
const REFUSED =
  '-ERR nearcache: more than 5 commands a second on keys of policy "busy:"; the command was not sent, try again later';

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    isGated: false,
    flags: `--policy prefix=busy:;rateLimit=${RATE} --policy prefix=slow:;rateLimit=1 --big-value-size 64kb`,
  });
});
beforeEach(async () => {
  app = await sidecar.app();
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

type Lines = readonly (readonly string[])[];

/** Sends all in one write. */
async function replies(client: RawClient, lines: Lines): Promise<string[]> {
  client.send(Buffer.concat(lines.map(encodeRequest)));
  return (await client.readFrames(lines.length)).map((frame) => String(frame).trimEnd());
}

/** So many commands at once that the bucket is empty. */
async function spend(key: string): Promise<void> {
  await replies(
    app,
    Array.from({ length: 4 * RATE }, () => ['GET', key]),
  );
}

test('commands over it are refused in their place, hits of the near-cache among them, and others are not', async () => {
  const lines: Lines = Array.from({ length: 3 * RATE }, (_, i) => [
    ['GET', 'busy:k'],
    ['INCR', `free:${i}`],
  ]).flat();
  const answers = await replies(app, lines);
  const busy = answers.filter((_, i) => i % 2 === 0);
  expect(answers.filter((_, i) => i % 2 === 1)).toEqual(Array.from({ length: 3 * RATE }, () => ':1'));
  expect(busy.slice(0, RATE)).toEqual(Array.from({ length: RATE }, () => '$-1'));
  expect(busy.at(-1)).toBe(REFUSED);
  const refused = busy.filter((answer) => answer === REFUSED).length;
  expect(await sidecar.metric('nearcache_rate_limited_total{policy="busy:"}')).toBe(refused);
  // None of them has reached Redis.
  expect(await sidecar.runs('get')).toBeLessThanOrEqual(3 * RATE - refused);
});

test('they are served again as time passes', async () => {
  await spend('busy:k');
  await expect.poll(() => say(app, 'SET', 'busy:k', 'v')).toBe('+OK');
});

test('the first key of a command decides', async () => {
  await spend('busy:k');
  expect(await say(app, 'MSET', 'busy:a', '1', 'free:a', '1')).toBe(REFUSED);
  expect(await say(app, 'MSET', 'free:a', '1', 'busy:a', '1')).toBe('+OK');
  expect(await say(app, 'EVAL', 'return 1', '1', 'busy:a')).toBe(REFUSED);
  expect(await say(app, 'PING')).toBe('+PONG');
});

test('a transaction with a refused command is aborted, whether it came whole or not', async () => {
  const block: Lines = [['MULTI'], ['INCR', 'free:t'], ['INCR', 'busy:t'], ['EXEC']];
  const aborted = '-EXECABORT Transaction discarded because of previous errors.';
  await spend('busy:k');
  expect(await replies(app, block)).toEqual(['+OK', '+QUEUED', REFUSED, aborted]);
  await spend('busy:k');
  const heard: string[] = [];
  for (const line of block) heard.push(await say(app, ...line));
  expect(heard).toEqual(['+OK', '+QUEUED', REFUSED, aborted]);
  expect(await say(app, 'GET', 'free:t')).toBe('nil');
});

test('a transaction that came whole is paid for afterwards', async () => {
  const block: Lines = [['MULTI'], ...Array.from({ length: 3 }, () => ['INCR', 'slow:t']), ['EXEC']];
  expect((await replies(app, block)).at(-1)).toMatch(/^\*3/);
  const paidAt = performance.now();
  await expect.poll(() => say(app, 'GET', 'slow:t'), { timeout: 20_000 }).toBe('3');
  // One of three was free; two and the GET itself are a second each.
  expect(performance.now() - paidAt).toBeGreaterThan(2500);
});

test('a large request is refused and passed over', async () => {
  await spend('busy:k');
  const answers = await replies(app, [
    ['SET', 'busy:big', 'x'.repeat(200_000)],
    ['SET', 'free:big', 'x'.repeat(200_000)],
  ]);
  expect(answers).toEqual([REFUSED, '+OK']);
});
