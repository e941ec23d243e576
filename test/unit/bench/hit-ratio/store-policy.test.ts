import { expect, test } from 'vitest';

import { generateTrace } from '../../../../bench/hit-ratio/generators.ts';
import { evictions, makePolicy } from '../../../../bench/hit-ratio/policies.ts';
import { replay, type Workload } from '../../../../bench/hit-ratio/policy/policy.ts';
import { storePolicy } from '../../../../bench/hit-ratio/store-policy.ts';

function workloadOf(name: 'zipf-0.99' | 'churn'): Workload {
  const { requests, keys } = generateTrace(name, 50_000, 3);
  return { requests, keys, weights: undefined };
}

test.each(evictions)(
  'a store with %s holds no more entries than its capacity, and hardly less',
  (eviction) => {
    const workload = workloadOf('zipf-0.99');
    const policy = storePolicy(eviction, workload, 1_000);
    let most = 0;
    for (const key of workload.requests) {
      policy.request(key);
      most = Math.max(most, policy.store.stats.entries);
    }
    expect(most).toBeLessThanOrEqual(1_000);
    expect(most).toBeGreaterThan(980);
  },
);

test.each(evictions)('a store with %s finds all but first requests when everything fits', (eviction) => {
  const workload = workloadOf('zipf-0.99');
  const hits = replay(workload, storePolicy(eviction, workload, Math.ceil(1.1 * workload.keys)));
  expect(hits).toBe(workload.requests.length - workload.keys);
});

test.each([300, 1_000, 4_000])('lru has exactly the hits of an exact LRU of %i entries', (capacity) => {
  const workload = workloadOf('churn');
  const [own, exact] = (['lru', 'exact-lru'] as const).map((name) =>
    replay(workload, makePolicy(name, workload, capacity)),
  );
  expect(own).toBe(exact);
});

test('a capacity of bytes is a limit that everything counts towards', () => {
  const { requests, keys } = workloadOf('churn');
  const weights = Uint32Array.from({ length: keys }, (_, key) => 100 + ((key * 37) % 500));
  const policy = storePolicy('s3fifo', { requests, keys, weights }, 2 ** 20);
  expect(replay({ requests, keys, weights }, policy)).toBeGreaterThan(0);
  expect(policy.store.stats.limitBytes).toBeLessThanOrEqual(2 ** 20);
  expect(policy.store.stats.evicted).toBeGreaterThan(0);
});
