// A policy's rate limit: how many commands a second may name its keys.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { say, Sidecar } from '../../support/sidecar.ts';

const RATE = 5;

function refusedBy(policy: string, rate: number): string {
  return `-ERR nearcache: more than ${rate} commands a second on keys of policy "${policy}"; the command was not sent, try again later`;
}

const REFUSED = refusedBy('busy:', RATE);
/** For as long as the tests take. */
const SPENT = refusedBy('spent:', 1);

let sidecar: Sidecar;
let app: RawClient;

beforeAll(async () => {
  sidecar = await Sidecar.start({
    isGated: false,
    flags: `--policy prefix=busy:;rateLimit=${RATE} --policy prefix=slow:;rateLimit=1 --policy prefix=spent:;rateLimit=1 --big-value-size 64kb`,
  });
  // One transaction that is here whole, and to be paid for.
  const client = await sidecar.app();
  const block = [['MULTI'], ...Array.from({ length: 1000 }, () => ['INCR', 'spent:k']), ['EXEC']];
  expect((await replies(client, block)).at(-1)).toMatch(/^\*1000/);
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
  const answers = await replies(
    app,
    Array.from({ length: 4 * RATE }, () => ['GET', 'busy:k']),
  );
  expect(answers).toContain(REFUSED);
  await expect.poll(() => say(app, 'SET', 'busy:k', 'v'), { timeout: 20_000 }).toBe('+OK');
});

test('the first key of a command decides', async () => {
  expect(await say(app, 'MSET', 'spent:a', '1', 'free:a', '1')).toBe(SPENT);
  expect(await say(app, 'MSET', 'free:a', '1', 'spent:a', '1')).toBe('+OK');
  expect(await say(app, 'EVAL', 'return 1', '1', 'spent:a')).toBe(SPENT);
  expect(await say(app, 'PING')).toBe('+PONG');
});

test('a transaction with a refused command is aborted, whether it came whole or not', async () => {
  const block: Lines = [['MULTI'], ['INCR', 'free:t'], ['INCR', 'spent:t'], ['EXEC']];
  const aborted = '-EXECABORT Transaction discarded because of previous errors.';
  expect(await replies(app, block)).toEqual(['+OK', '+QUEUED', SPENT, aborted]);
  const heard: string[] = [];
  for (const line of block) heard.push(await say(app, ...line));
  expect(heard).toEqual(['+OK', '+QUEUED', SPENT, aborted]);
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
  const answers = await replies(app, [
    ['SET', 'spent:big', 'x'.repeat(200_000)],
    ['SET', 'free:big', 'x'.repeat(200_000)],
  ]);
  expect(answers).toEqual([SPENT, '+OK']);
});
