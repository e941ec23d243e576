import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { stormPlot } from '../../../../bench/report/storm-report.ts';
import { parseStorm, type StormOptions } from '../../../../bench/storm/storm-options.ts';
import {
  allowedUntil,
  type BreakerStory,
  breakerStory,
  connectionsAfter,
  countAt,
  judgeStorm,
  type StormRun,
  worstSecond,
} from '../../../../bench/storm/storm-rows.ts';
import { classed, findAll, parseMarkup } from '../../drill/report/markup.ts';

const options: StormOptions = parseStorm(['--gate']);
const healed: BreakerStory = { opened: true, closed: true, openedAgain: 0 };

/** A run whose reads grow as `reads` says, with 43 connections within two seconds. */
function runOf(reads: (at: number) => number, more: Partial<StormRun> = {}): StormRun {
  return {
    points: Array.from({ length: 190 }, (_, i) => {
      const at = (i - 80) / 10;
      return { at, reads: reads(at), connections: Math.min(43, Math.max(0, at) * 21.5) };
    }),
    app: Array.from({ length: 90 }, (_, i) => ({
      from: (i - 40) / 5,
      to: (i - 39) / 5,
      answered: 800,
      errors: 0,
      p99Ms: 2,
    })),
    breakers: Array.from({ length: 20 }, () => healed),
    connectionsBefore: 40,
    ...more,
  };
}

function failures(ramped: StormRun, unlimited: StormRun): string[] {
  return judgeStorm(ramped, unlimited, options)
    .filter(({ pass }) => !pass)
    .map(({ what }) => what);
}

const storm = runOf((at) => Math.max(0, at) * 4000);
const asAllowed = runOf((at) => allowedUntil(options, at));

test('what is allowed doubles each second', () => {
  const atOnce = [1, 2, 3, 4].map((at) => allowedUntil(options, at) - allowedUntil(options, at - 1));
  expect(atOnce).toEqual([400, 800, 1600, 3200]);
  expect(allowedUntil(options, 0.5)).toBe(200);
  expect(allowedUntil(options, -1)).toBe(0);
});

test('between two points a count is read from the line through them', () => {
  const points = [
    { at: 0, reads: 10, connections: 0 },
    { at: 2, reads: 30, connections: 4 },
  ];
  expect([-1, 0, 0.5, 2, 9].map((at) => countAt(points, at, 'reads'))).toEqual([10, 10, 15, 30, 30]);
  expect(countAt(points, 1, 'connections')).toBe(2);
});

test('as many reads as are allowed pass, in whatever second, and a storm does not', () => {
  expect(worstSecond(asAllowed, options)).toBeCloseTo(1, 1);
  expect(worstSecond(storm, options)).toBeCloseTo(10, 0);
  expect(failures(asAllowed, storm)).toEqual([]);
  expect(failures(storm, storm)).toEqual(['reads at Redis in any second of the ramp / allowed']);
});

test('one second above what is allowed is found, wherever it begins', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.2, max: 3.8, noNaN: true }), (start) => {
      const extra = allowedUntil(options, start + 1) - allowedUntil(options, start);
      const burst = runOf((at) => allowedUntil(options, at) + extra * Math.min(1, Math.max(0, at - start)));
      expect(worstSecond(burst, options)).toBeGreaterThan(1.7);
    }),
  );
});

test('a load that would not have stormed anyway proves nothing', () => {
  expect(failures(asAllowed, asAllowed)).toEqual(['the same without a ramp']);
});

test('connections that come all at once, or again and again, are found', () => {
  expect(connectionsAfter(asAllowed).all).toBeCloseTo(40, 0);
  const at = (connections: (at: number) => number): StormRun => ({
    ...asAllowed,
    points: asAllowed.points.map((point) => ({ ...point, connections: connections(point.at) })),
  });
  expect(
    failures(
      at((moment) => (moment < 0.1 ? 0 : 43)),
      storm,
    ),
  ).toEqual(['most connections in half a second / all']);
  expect(
    failures(
      at((moment) => Math.max(0, moment) * 20),
      storm,
    ),
  ).toEqual(['connections after the outage / before']);
});

test('a log tells whether the breaker opened, closed and opened again', () => {
  const log = (...states: readonly string[]): string =>
    states.map((state) => `{"level":40,"msg":"the circuit breaker is ${state}"}\n`).join('');
  expect(breakerStory('')).toEqual({ opened: false, closed: false, openedAgain: 0 });
  expect(breakerStory(log('open'))).toEqual({ opened: true, closed: false, openedAgain: 0 });
  // Each probe that fails opens it anew, which is still the same outage.
  expect(breakerStory(log('open', 'open', 'open', 'closed'))).toEqual(healed);
  expect(breakerStory(log('open', 'closed', 'open', 'closed'))).toEqual({ ...healed, openedAgain: 1 });
});

test('breakers that never opened, or opened twice, fail', () => {
  const others = asAllowed.breakers.slice(1);
  const withFirst = (story: BreakerStory): StormRun => ({ ...asAllowed, breakers: [story, ...others] });
  expect(failures(withFirst({ ...healed, opened: false }), storm)).toEqual([
    'breakers that opened and closed again / nearcaches',
  ]);
  expect(failures(withFirst({ ...healed, openedAgain: 1 }), storm)).toEqual([
    'breakers that opened a second time',
  ]);
});

test('apps that still get errors or too few answers at the end fail', () => {
  const errors = asAllowed.app.map((step) => ({ ...step, errors: 1 }));
  expect(failures({ ...asAllowed, app: errors }, storm)).toEqual(['errors in the last two seconds']);
  const few = asAllowed.app.map((step) => ({ ...step, answered: 500 }));
  expect(failures({ ...asAllowed, app: few }, storm)).toEqual(['answers in the last two seconds / wanted']);
});

test('the plot shows both runs and the bound in one picture that is well-formed', () => {
  const svg = parseMarkup(stormPlot(asAllowed, storm, options));
  expect(findAll(svg, classed('bound'))).toHaveLength(1);
  expect(findAll(svg, classed('title')).map(({ text }) => text)).toContain('Reads at Redis per second');
  expect(findAll(svg, classed('event-label')).map(({ text }) => text)).toEqual([
    '1 Redis is killed',
    '2 Redis is back',
  ]);
});
