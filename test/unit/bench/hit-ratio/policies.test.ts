import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { generateTrace } from '../../../../bench/hit-ratio/generators.ts';
import { type SimulatedName, simulated, simulatedNames } from '../../../../bench/hit-ratio/policies.ts';
import { replay, type Workload } from '../../../../bench/hit-ratio/policy/policy.ts';
import {
  arcModel,
  clockModel,
  fifoModel,
  lruModel,
  type Model,
  mostHits,
  rankedModel,
  sieveModel,
  slruModel,
  twoQueueModel,
} from './models.ts';

const models: readonly (readonly [SimulatedName, (capacity: number) => Model])[] = [
  ['exact-lru', lruModel],
  ['exact-fifo', fifoModel],
  ['exact-clock', clockModel],
  ['sieve', sieveModel],
  ['slru', slruModel],
  ['2q', twoQueueModel],
  ['arc', arcModel],
  ['perfect-lfu', (capacity) => rankedModel(capacity, (times) => times.length * 1e6 + times.at(-1)!)],
  ['lru-2', (capacity) => rankedModel(capacity, (times) => times.at(-2) ?? times.at(-1)! - 1e6)],
];

function workloadOf(requests: readonly number[]): Workload {
  return {
    requests: Uint32Array.from(requests),
    keys: requests.reduce((most, key) => Math.max(most, key), 0) + 1,
    weights: undefined,
  };
}

function hitsOf(name: SimulatedName, workload: Workload, capacity: number): number {
  return replay(workload, simulated[name](workload, capacity));
}

const requestLists = (keys: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(keys - 1), { maxLength, size: 'max' });

test.each(models)('%s answers request by request as its model does', (name, modelOf) => {
  fc.assert(
    fc.property(requestLists(24, 300), fc.integer({ min: 1, max: 16 }), (requests, capacity) => {
      const [policy, model] = [simulated[name](workloadOf(requests), capacity), modelOf(capacity)];
      expect(requests.map((key) => policy.request(key))).toEqual(requests.map(model));
    }),
    { numRuns: 150 },
  );
});

test('opt has as many hits as the best of all possible choices', () => {
  fc.assert(
    fc.property(requestLists(6, 14), fc.integer({ min: 1, max: 3 }), (requests, capacity) => {
      expect(hitsOf('opt', workloadOf(requests), capacity)).toBe(mostHits(requests, capacity));
    }),
    { numRuns: 200 },
  );
});

test('no policy has more hits than opt', () => {
  fc.assert(
    fc.property(requestLists(40, 400), fc.integer({ min: 1, max: 30 }), (requests, capacity) => {
      const workload = workloadOf(requests);
      const most = hitsOf('opt', workload, capacity);
      const hits = simulatedNames.map((name) => [name, hitsOf(name, workload, capacity)] as const);
      expect(hits.filter(([, count]) => count > most)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test.each(simulatedNames)('%s misses each key once when everything fits', (name) => {
  const { requests, keys } = generateTrace('zipf-0.99', 20_000, 3);
  expect(hitsOf(name, { requests, keys, weights: undefined }, keys)).toBe(20_000 - keys);
});

test.each(simulatedNames.filter((name) => name !== 'opt' && name !== 'w-tinylfu'))(
  '%s treats entries of seven bytes like entries of one in a seventh of the capacity',
  (name) => {
    const { requests, keys } = generateTrace('churn', 20_000, 5);
    const weights = new Uint32Array(keys).fill(7);
    expect(hitsOf(name, { requests, keys, weights }, 700)).toBe(
      hitsOf(name, { requests, keys, weights: undefined }, 100),
    );
  },
);

test.each(simulatedNames.filter((name) => name !== 'opt'))(
  '%s never keeps more than its capacity',
  (name) => {
    const keys = 50;
    const weights = Uint32Array.from({ length: keys }, (_, key) => 1 + ((key * 37) % 90));
    const all = Array.from({ length: keys }, (_, key) => key);
    fc.assert(
      fc.property(requestLists(keys, 200), fc.integer({ min: 1, max: 300 }), (requests, capacity) => {
        const workload = { requests: Uint32Array.from([...requests, ...all]), keys, weights };
        const kept = all.filter((probe) => {
          const policy = simulated[name](workload, capacity);
          for (const key of requests) policy.request(key);
          return policy.request(probe);
        });
        const total = kept.reduce((sum, key) => sum + (weights[key] as number), 0);
        expect(total).toBeLessThanOrEqual(capacity);
      }),
      { numRuns: 25 },
    );
  },
);

test('a loop a little larger than the cache has no hit with lru, and opt keeps most of it', () => {
  const workload = workloadOf(Array.from({ length: 110 * 20 }, (_, i) => i % 110));
  expect(hitsOf('exact-lru', workload, 100)).toBe(0);
  expect(hitsOf('opt', workload, 100)).toBeGreaterThan(0.85 * 110 * 19);
});

test('w-tinylfu keeps what is requested often through a scan that empties lru', () => {
  const scan = (from: number): number[] => Array.from({ length: 400 }, (_, i) => 100 + from + i);
  const hot = Array.from({ length: 80 }, (_, i) => i);
  const workload = workloadOf([...hot, ...hot, ...hot, ...scan(0), ...hot, ...scan(400), ...hot]);
  expect(hitsOf('exact-lru', workload, 100)).toBe(2 * 80);
  expect(hitsOf('w-tinylfu-1%', workload, 100)).toBeGreaterThan(3.9 * 80);
});

test('the window of w-tinylfu grows where recency is all that counts', () => {
  // Every key is requested a few times shortly after another and never again.
  const requests = Array.from({ length: 200_000 }, (_, i) => Math.max(0, (i >> 2) - (i % 4) * 20));
  const workload = workloadOf(requests);
  const [fixed, adaptive] = [hitsOf('w-tinylfu-1%', workload, 200), hitsOf('w-tinylfu', workload, 200)];
  expect(adaptive).toBeGreaterThan(1.5 * fixed);
});
