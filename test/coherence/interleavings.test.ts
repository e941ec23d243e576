// Every order in which a few things can happen, and long random orders of many: the real data path in one process, with a Redis,
// a network and a time that do what the schedule says. What breaks a rule is printed with its whole schedule.
import * as fc from 'fast-check';
import { describe, expect, it, test, vi } from 'vitest';

import { explore } from './interleavings/explore.ts';
import { happenings, playRandomly } from './interleavings/random-play.ts';
import { play } from './interleavings/scenario.ts';
import { SCENARIOS } from './interleavings/scenarios.ts';

vi.mock('node:net', async (original) => {
  const { network } = await import('./interleavings/dial.ts');
  return { ...(await original<object>()), connect: (options: object) => network.dial(options) };
});

/** No scenario comes near it; one that does has to be made smaller. */
const SCHEDULES_MAX = 20_000;
const RANDOM_RUNS = 40000;
const RANDOM_LENGTH = 80;
/** Half a minute of work, or many times that on a machine that is busy with other things. */
const TIME_LIMIT_MS = 600_000;

describe('in every order, nothing older than promised is told and nothing old stays in the cache', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    (_, scenario) => {
      const { count, isComplete } = explore((choose) => play(scenario, choose), SCHEDULES_MAX);
      expect(isComplete, `more than ${count} schedules`).toBe(true);
    },
    TIME_LIMIT_MS,
  );
});

test(
  'nor in long random orders, with time, expiry, refused connections and answers in pieces',
  () => {
    fc.assert(fc.property(happenings(RANDOM_LENGTH), playRandomly), { numRuns: RANDOM_RUNS });
  },
  TIME_LIMIT_MS,
);
