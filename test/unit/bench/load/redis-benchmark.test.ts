import { expect, test } from 'vitest';

import { parseRequestsPerSecond } from '../../../../bench/load/redis-benchmark.ts';

const csv = `WARNING: Could not fetch server CONFIG
"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"GET","110497.24","0.254","0.080","0.247","0.343","0.415","0.975"
`;

test('the rate is read from the row of the test', () => {
  expect(parseRequestsPerSecond(csv, 'get')).toBe(110_497.24);
});

test('output without that row is an error that shows the output', () => {
  expect(() => parseRequestsPerSecond('Error from server: ERR no\n', 'get')).toThrow(
    'Error from server: ERR no',
  );
  expect(() => parseRequestsPerSecond(csv, 'set')).toThrow('no set row');
});
