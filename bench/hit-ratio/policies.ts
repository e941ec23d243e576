/** Everything that traces are replayed through, by name. */
import type { Eviction } from '../../src/cache/create-store.ts';
import { drawKeyBytes, drawValueBytes } from '../workload/entry-size.ts';
import { seededRandom } from '../workload/seeded-random.ts';
import { Arc } from './policy/arc.ts';
import { Clock, Fifo, Lru, Sieve } from './policy/one-queue.ts';
import type { Policy, PolicyMaker, Workload } from './policy/policy.ts';
import { RandomEviction } from './policy/random.ts';
import { Clairvoyant, Lru2, PerfectLfu } from './policy/ranked.ts';
import { Slru } from './policy/slru.ts';
import { TwoQueue } from './policy/two-queue.ts';
import { WTinyLfu } from './policy/w-tinylfu.ts';
import { storePolicy } from './store-policy.ts';
import type { Trace } from './trace.ts';

/** Names of the evictions that the near-cache has. */
export const evictions: readonly Eviction[] = ['s3fifo', 'tinylfu', 'clock', 'fifo', 'lru'];

/** Names of the policies that are simulated: they hold exactly their capacity and nothing of them costs memory. */
export const simulatedNames = [
  'exact-lru',
  'exact-fifo',
  'exact-clock',
  'random',
  'perfect-lfu',
  'slru',
  'lru-2',
  'arc',
  '2q',
  'sieve',
  'w-tinylfu-1%',
  'w-tinylfu',
  'opt',
] as const;
export type SimulatedName = (typeof simulatedNames)[number];

export const simulated: Readonly<Record<SimulatedName, PolicyMaker>> = {
  'exact-lru': (workload, capacity) => new Lru(workload, capacity),
  'exact-fifo': (workload, capacity) => new Fifo(workload, capacity),
  'exact-clock': (workload, capacity) => new Clock(workload, capacity),
  random: (workload, capacity) => new RandomEviction(workload, capacity, seededRandom(1)),
  'perfect-lfu': (workload, capacity) => new PerfectLfu(workload, capacity),
  slru: (workload, capacity) => new Slru(workload, capacity),
  'lru-2': (workload, capacity) => new Lru2(workload, capacity),
  arc: (workload, capacity) => new Arc(workload, capacity),
  '2q': (workload, capacity) => new TwoQueue(workload, capacity),
  sieve: (workload, capacity) => new Sieve(workload, capacity),
  'w-tinylfu-1%': (workload, capacity) => new WTinyLfu(workload, capacity, false),
  'w-tinylfu': (workload, capacity) => new WTinyLfu(workload, capacity, true),
  opt: (workload, capacity) => new Clairvoyant(workload, capacity),
};

export type PolicyName = Eviction | SimulatedName;
export const policyNames: readonly PolicyName[] = [...evictions, ...simulatedNames];

/** An empty cache of that name. */
export function makePolicy(name: PolicyName, workload: Workload, capacity: number): Policy {
  const eviction = evictions.find((each) => each === name);
  return eviction === undefined
    ? simulated[name as SimulatedName](workload, capacity)
    : storePolicy(eviction, workload, capacity);
}

/** The bytes of each key's entry: those of the trace, else made up but the same for the same seed. */
export function weightsOf({ keys, sizes }: Trace, seed: number): Uint32Array {
  const random = seededRandom(seed);
  return sizes ?? Uint32Array.from({ length: keys }, () => drawKeyBytes(random) + drawValueBytes(random));
}
