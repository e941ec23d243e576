import { expect, test } from 'vitest';

import { generateTrace, generatorNames, numbered } from '../../../../bench/hit-ratio/generators.ts';

test.each(generatorNames)('%s is the same for the same seed and differs for another', (name) => {
  const [first, again, other] = [7, 7, 8].map((seed) => generateTrace(name, 150_000, seed));
  expect(again).toEqual(first);
  expect(other!.requests).not.toEqual(first!.requests);
});

test.each(generatorNames)('%s numbers its keys by first appearance', (name) => {
  const { requests, keys } = generateTrace(name, 150_000, 7);
  let next = 0;
  for (const key of requests) {
    if (key > next) throw new Error(`${key} comes before ${next}`);
    if (key === next) next++;
  }
  expect(keys).toBe(next);
  expect(numbered(requests).requests).toEqual(requests);
});

test('new keys keep coming where popularity drifts, and a scan asks for rows it never asked for before', () => {
  const freshIn = (name: 'churn' | 'scan', from: number, to: number): number => {
    const { requests } = generateTrace(name, to, 7);
    const before = new Set(requests.slice(0, from));
    return new Set(requests.slice(from).filter((key) => !before.has(key))).size;
  };
  expect(freshIn('churn', 500_000, 600_000)).toBeGreaterThan(3_000);
  expect(freshIn('scan', 50_000, 100_000)).toBeGreaterThan(25_000);
});
