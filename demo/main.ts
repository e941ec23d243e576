/** npm run demo [-- --seconds 24]: a small shop on three Redis shards through nearcache, live in the terminal. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import type { Redis } from 'ioredis';

import type { Percentiles } from '../bench/report/percentiles.ts';
import {
  connectTo,
  HOP_MS,
  type InvalidationLag,
  measureInvalidation,
  measureReads,
  measureReturn,
  type ReadLatencies,
} from './measure.ts';
import { Screen } from './screen.ts';
import { cacheCounts, type DemoShard, startShards, stopShards } from './shards.ts';
import { Shop, type ShopCounts } from './shop.ts';
import { percent, Status } from './status.ts';

/** Parts of the whole time at which something new begins. */
const ACTS = { reads: 0.2, outsideWrites: 0.36, kill: 0.5, restart: 0.72 };
const SHORTEST_SECONDS = 12;
const LOOK_EVERY_MS = 500;

interface Results {
  reads: ReadLatencies;
  invalidation: InvalidationLag;
  returnMs: number;
}

const screen = new Screen(process.stdout);

/** The acts, one after another, while the shop works. */
async function play(
  shards: readonly DemoShard[],
  client: Redis,
  status: Status,
  seconds: number,
): Promise<Results> {
  const startedAt = performance.now();
  const until = (part: number): number => Math.max(0, startedAt + part * seconds * 1000 - performance.now());
  const [first, second] = shards as [DemoShard, DemoShard];

  screen.tell('The near-cache starts empty and fills with what the shop reads.');
  await delay(until(ACTS.reads));
  screen.tell(
    'Reading one key three ways: from nearcache, from Redis here, and from Redis across a network.',
  );
  const reads = await measureReads(first, until(ACTS.outsideWrites));
  status.note = `reads: ${show(reads.hit)} from nearcache, ${show(reads.direct)} from Redis here, ${show(reads.distant)} across ${HOP_MS} ms`;
  screen.tell(status.note);

  screen.tell('Another program writes straight to Redis what the shop has cached.');
  const invalidation = await measureInvalidation(first, until(ACTS.kill), (text) => {
    status.note = text;
  });
  screen.tell(`The last one: ${status.note}.`);
  status.note = '';

  await second.redis.kill('SIGKILL');
  screen.tell(`Redis of ${second.name} was killed; the others know nothing of it.`);
  await delay(until(ACTS.restart));
  await second.redis.restart();
  const returnMs = await measureReturn(client, second);
  screen.tell(
    `Redis of ${second.name} is back, empty; ${returnMs.toFixed(0)} ms later nearcache served again.`,
  );
  await delay(until(1));
  return { reads, invalidation, returnMs };
}

async function demonstrate(seconds: number): Promise<boolean> {
  screen.tell('A ring of three Redis shards behind one nearcache: the app sees one Redis.');
  const shards = await startShards(3);
  const [first] = shards as [DemoShard];
  const client = connectTo(first.nearcache.port);
  const shop = new Shop(client, shards.length);
  const status = new Status(shards, shop);
  const over = new AbortController();
  shop.open();
  const watching = (async () => {
    while (!over.signal.aborted) {
      await delay(LOOK_EVERY_MS);
      const { block, line } = await status.look();
      screen.show(block, line);
    }
  })();
  const results = await play(shards, client, status, seconds);
  over.abort();
  await watching;
  await shop.close();
  const { hits, reads } = await cacheCounts(first);
  client.disconnect();
  await stopShards(shards);

  screen.end(summary(shop, hits / reads, results));
  const unaffected = shop.counts.filter((_, i) => i !== 1);
  return shop.wrong === 0 && unaffected.every(({ errors }) => errors === 0);
}

function summary(shop: Shop, hitRatio: number, { reads, invalidation, returnMs }: Results): string {
  const [first, second, third] = shop.counts as [ShopCounts, ShopCounts, ShopCounts];
  const { lag, oldReads } = invalidation;
  return `
Summary
  requests          ${sum(shop.counts.map(({ requests }) => requests))}, ${percent(hitRatio)} of the reads were hits; ${shop.wrong} wrong values
  a read            ${show(reads.hit)} from nearcache (a hit)
                    ${show(reads.direct)} from Redis on this machine
                    ${show(reads.distant)} from Redis across a simulated network of ${HOP_MS} ms each way
  outside writes    ${lag.count}, each seen by the app after ${ms(lag.p50)} (median), ${ms(lag.max)} at most; ${oldReads} old values read meanwhile
  shard 2 killed    ${second.errors} requests failed, none later than ${ms(second.slowestErrorMs)}; last: ${second.lastError}
                    shards 1 and 3 had ${first.errors + third.errors} errors; service back ${ms(returnMs)} after Redis`;
}

function show({ p50, p99 }: Percentiles): string {
  return `p50 ${ms(p50)}, p99 ${ms(p99)}`;
}

function ms(value: number | undefined): string {
  return value === undefined ? '–' : `${value.toFixed(2)} ms`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '24' } } });
const seconds = Number(values.seconds);
if (seconds >= SHORTEST_SECONDS) {
  process.exitCode = (await demonstrate(seconds)) ? 0 : 1;
} else {
  console.error(`--seconds must be a number, ${SHORTEST_SECONDS} or more.`);
  process.exitCode = 2;
}
