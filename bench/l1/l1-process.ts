/** One cache of many entries in a process of its own. Questions: 'fill', then each figure as often as there are rounds, then
 *  'churn'. */
import { performance, PerformanceObserver } from 'node:perf_hooks';
import { threadCpuUsage } from 'node:process';

import type { EntryId } from '../../src/cache/store.ts';
import { ownResidentBytes } from '../resident.ts';
import { answer, collectGarbage, nextTurn, workerInput } from '../worker.ts';
import { type ByteCache, LruCacheOfBuffers, ownCopy } from '../workload/byte-cache.ts';
import { seededRandom, shuffled } from '../workload/seeded-random.ts';
import { zipf } from '../workload/zipf.ts';
import { KeyBlock, storeOf, valueBytes } from './l1-entries.ts';
import type { Filled, GcChurn, L1Input, Timing } from './l1-rows.ts';

const { kind, entries, operations, churnOperations } = workerInput() as L1Input;
const isStore = kind === 'store';

/** Everything that is asked for is made before memory is first read. */
const known = new KeyBlock(entries, 0);
const missing = new KeyBlock(operations, 2 ** 33);
const fresh = new KeyBlock(operations, 2 ** 34);
const order = zipfOrder();
const value = Buffer.alloc(valueBytes, 'v');
const output = Buffer.alloc(64 * 1024);
let cache: ByteCache;

/** Popular keys lie anywhere among the others. */
function zipfOrder(): Uint32Array {
  const random = seededRandom(1);
  const places = shuffled(entries, random);
  const rank = zipf(entries, 0.99, random);
  return Uint32Array.from({ length: operations }, () => places[rank()] as number);
}

async function fill(): Promise<Filled> {
  await collectGarbage();
  const before = ownResidentBytes();
  cache = isStore ? storeOf(entries) : new LruCacheOfBuffers({ maxEntries: entries }, true);
  for (let i = 0; i < entries; i++) {
    known.name(i);
    insert(known.id);
    if (i % 1_000 === 0) await nextTurn();
  }
  await collectGarbage();
  return { residentAnEntry: (ownResidentBytes() - before) / cache.entries, entries: cache.entries };
}

/** lru-cache keeps what it is given, so it must be given a value of its own; the store copies. */
function insert(id: EntryId): void {
  cache.insert(id, isStore ? value : ownCopy(value, 0, valueBytes), 0, valueBytes);
}

function hit(): Timing {
  return timed((i) => {
    known.name(order[i] as number);
    return cache.find(known.id);
  });
}

function hitAndCopy(): Timing {
  let at = 0;
  return timed((i) => {
    known.name(order[i] as number);
    if (!cache.find(known.id)) return false;
    cache.copyFound(output, at);
    at = (at + valueBytes) % (output.length - valueBytes);
    return true;
  });
}

function miss(): Timing {
  return timed((i) => {
    missing.name(i);
    return cache.find(missing.id);
  });
}

function overwrite(): Timing {
  const valueAt = values();
  return timed((i) => {
    known.name(order[i] as number);
    cache.insert(known.id, valueAt(i), 0, valueBytes);
    return true;
  });
}

/** The cache is full: what was left of it is filled up before the first round. */
function setAndEvict(): Timing {
  if (isStore) fillUp();
  fresh.renew();
  const valueAt = values();
  return timed((i) => {
    cache.insert(fresh.name(i), valueAt(i), 0, valueBytes);
    return true;
  });
}

function fillUp(): void {
  while (cache.evicted === 0) {
    fresh.renew();
    for (let i = 0; i < operations; i++) insert(fresh.name(i));
  }
}

/** A value for each operation: making those that lru-cache keeps is not charged to it. */
function values(): (i: number) => Buffer {
  if (isStore) return () => value;
  const made = Array.from({ length: operations }, () => ownCopy(value, 0, valueBytes));
  return (i) => made[i] as Buffer;
}

/** Counts CPU time of this thread, not what other programs took of its core. Bounds: the kernel counts in ticks of up to
 *  4 ms, so the whole must take much longer. */
function timed(step: (i: number) => boolean): Timing {
  let found = 0;
  const before = threadCpuUsage();
  for (let i = 0; i < operations; i++) if (step(i)) found++;
  const { user, system } = threadCpuUsage(before);
  return { nanosAnOperation: ((user + system) * 1_000) / operations, found, operations };
}

async function churn(): Promise<GcChurn> {
  const pauses: number[] = [];
  const observer = new PerformanceObserver((list) =>
    pauses.push(...list.getEntries().map((each) => each.duration)),
  );
  await collectGarbage();
  observer.observe({ entryTypes: ['gc'] });
  const start = performance.now();
  for (let done = 0; done < churnOperations; done += 1_000) {
    if (done % operations === 0) fresh.renew();
    for (let i = done; i < done + 1_000; i++) churnOnce(i);
    await nextTurn();
  }
  const took = performance.now() - start;
  // Entries of the last turn are handed over in the next.
  await nextTurn();
  pauses.push(...observer.takeRecords().map((each) => each.duration));
  observer.disconnect();
  return {
    nanosAnOperation: (took * 1e6) / churnOperations,
    longestPauseMs: Math.max(0, ...pauses),
    gcShare: pauses.reduce((sum, each) => sum + each, 0) / took,
  };
}

function churnOnce(i: number): void {
  if (i % 5 === 0) insert(fresh.name(i % operations));
  else cache.find(known.name(order[i % operations] as number));
}

answer({ fill, hit, 'hit+copy': hitAndCopy, miss, overwrite, 'set+evict': setAndEvict, churn });
