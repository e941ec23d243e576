/** One cache in a process of its own. Questions: 'fill' inserts entries and tells what that did to resident memory; 'churn'
 *  times hits while new keys push others out; 'soak' watches resident memory under churn. */
import { performance } from 'node:perf_hooks';

import { newHistogram, percentilesOf, recordMs } from '../report/percentiles.ts';
import { ownResidentBytes } from '../resident.ts';
import { answer, collectGarbage, nextTurn, workerInput } from '../worker.ts';
import {
  type ByteCache,
  LruCacheOfBuffers,
  NoCache,
  StoreCache,
  storeOptions,
} from '../workload/byte-cache.ts';
import { seededRandom } from '../workload/seeded-random.ts';
import { zipf } from '../workload/zipf.ts';
import { EntryStream } from './entry-stream.ts';
import type { Churn, Fill, MemoryInput, Soak } from './memory-rows.ts';

const input = workerInput() as MemoryInput;
const stream = new EntryStream(1);
let fresh = 0;

function makeCache(): ByteCache {
  const { kind, limitBytes } = input;
  if (kind === 'store') return new StoreCache('s3fifo', storeOptions(limitBytes));
  return kind === 'lru-cache' ? new LruCacheOfBuffers({ maxBytes: limitBytes }, false) : new NoCache();
}

/** How many entries go in between two turns of the event loop. */
const turn = 1_000;

async function fill(): Promise<Fill> {
  await collectGarbage();
  const before = ownResidentBytes();
  const cache = makeCache();
  let peak = before;
  for (let inserted = 0; inserted < input.inserts; inserted += turn) {
    for (let i = 0; i < turn; i++) insertNew(cache);
    await nextTurn();
    if (inserted % (50 * turn) === 0) peak = Math.max(peak, ownResidentBytes());
  }
  const after = ownResidentBytes();
  return { grownBytes: after - before, peakBytes: Math.max(peak, after) - before, entries: cache.entries };
}

/** Few enough that every eviction keeps them, as often as they are asked for. */
const hotKeys = 1_000;
const hitsABatch = 100;
const slices = 20;

/** Quiet and busy slices take turns, so that a slow minute of the machine hits both. */
async function churn(): Promise<Churn> {
  const cache = makeCache();
  const quiet = newHistogram();
  const busy = newHistogram();
  const inserts = newHistogram();
  const rank = zipf(hotKeys, 0.9, seededRandom(2));
  const batches = Math.ceil(input.churnKeys / hitsABatch / slices);
  let [asked, found] = [0, 0];
  fresh = hotKeys;
  const batch = (): number => {
    let hits = 0;
    const start = performance.now();
    for (let i = 0; i < hitsABatch; i++) {
      stream.name(rank());
      if (cache.find(stream.id)) hits++;
    }
    const took = performance.now() - start;
    asked += hitsABatch;
    found += hits;
    // As reads through the cache would, but outside of what is timed.
    if (hits < hitsABatch) for (let key = 0; key < hotKeys; key++) insertUnlessFound(cache, key);
    return took;
  };
  for (let i = 0; i < input.warmUpInserts; i++) insertNew(cache);
  for (let i = 0; i < 500; i++) batch();
  [asked, found] = [0, 0];
  for (let slice = 0; slice < slices; slice++) {
    for (let i = 0; i < batches; i++) recordMs(quiet, batch());
    for (let i = 0; i < batches; i++) {
      const start = performance.now();
      for (let k = 0; k < hitsABatch; k++) insertNew(cache);
      recordMs(inserts, performance.now() - start);
      recordMs(busy, batch());
    }
    await nextTurn();
  }
  return {
    quiet: percentilesOf(quiet),
    busy: percentilesOf(busy),
    inserts: percentilesOf(inserts),
    hitRatio: found / asked,
    keys: fresh,
  };
}

/** One in ten operations is a removal and four are looks at keys of late. Memory is read every second. */
async function soak(): Promise<Soak> {
  const cache = makeCache();
  const random = seededRandom(3);
  for (let i = 0; i < input.warmUpInserts; i++) insertNew(cache);
  const residents: number[] = [];
  const end = performance.now() + input.minutes * 60_000;
  for (let sampleAt = performance.now(); performance.now() < end; await nextTurn()) {
    for (let i = 0; i < turn; i++) soakOnce(cache, random());
    if (performance.now() < sampleAt) continue;
    residents.push(ownResidentBytes());
    sampleAt += Math.min(1_000, input.minutes * 600);
  }
  return { residents, keys: fresh };
}

function soakOnce(cache: ByteCache, chance: number): void {
  if (chance >= 0.5) {
    insertNew(cache);
    return;
  }
  stream.name(Math.max(0, fresh - 1 - Math.floor(chance * 100_000)));
  if (chance >= 0.4) cache.remove(stream.id);
  else cache.find(stream.id);
}

function insertNew(cache: ByteCache): void {
  stream.name(fresh++);
  stream.drawValue();
  cache.insert(stream.id, stream.source, stream.start, stream.end);
}

function insertUnlessFound(cache: ByteCache, key: number): void {
  stream.name(key);
  if (cache.find(stream.id)) return;
  stream.drawValue();
  cache.insert(stream.id, stream.source, stream.start, stream.end);
}

answer({ fill, churn, soak });
