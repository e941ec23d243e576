import { EntryTable } from './entry-table.ts';
import { ClockPolicy, FifoPolicy, type EvictionPolicy } from './eviction.ts';
import { Ghosts } from './ghosts.ts';
import { planMemory } from './memory-plan.ts';
import { S3Fifo } from './s3-fifo.ts';
import { SegmentStore, type SegmentStoreOptions } from './segment-store.ts';
import { type Store, StoreStats } from './store.ts';

export type Eviction = 's3fifo' | 'tinylfu' | 'fifo' | 'clock' | 'lru';

export function createStore(eviction: Eviction, options: SegmentStoreOptions): Store {
  const stats = new StoreStats();
  const plan = planMemory(options, 4);
  const table = new EntryTable(plan, stats, options.seed);
  let policy: EvictionPolicy;
  if (eviction === 's3fifo') policy = new S3Fifo(new Ghosts(plan.entries), stats);
  else if (eviction === 'clock') policy = new ClockPolicy();
  else policy = new FifoPolicy();
  return new SegmentStore(table, policy, plan, options);
}
