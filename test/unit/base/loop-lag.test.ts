import { beforeEach, describe, expect, it } from 'vitest';

import type { Clock } from '../../../src/base/clock.ts';
import type { LogFields, Logger } from '../../../src/base/log.ts';
import { LoopLag } from '../../../src/base/loop-lag.ts';

let now: number;
let look: () => void;
let period: number;
let beats: number;
let lines: LogFields[];
let lag: LoopLag;

beforeEach(() => {
  now = 1000;
  beats = 0;
  lines = [];
  const clock: Pick<Clock, 'now' | 'every'> = {
    now: () => now,
    every: (periodMs, run) => {
      period = periodMs;
      look = run;
      return () => undefined;
    },
  };
  const log = { warn: (fields: LogFields) => lines.push(fields) };
  lag = new LoopLag(200, { clock: clock as Clock, log: log as unknown as Logger, beat: () => beats++ });
  lag.start();
});

/** The next look comes so much late. */
function late(ms: number): void {
  now += period + ms;
  look();
}

describe('LoopLag', () => {
  it('beats at the start and at each look', () => {
    expect(beats).toBe(1);
    late(0);
    late(500);
    expect(beats).toBe(3);
  });

  it('counts looks that come later than the warning, and only those', () => {
    for (const ms of [0, 199, 200, 201, 300]) late(ms);
    expect(lag.stats).toMatchObject({ stalls: 2, stalledMs: 501 });
  });

  it('tells of one at once, and of further ones after 10 s in one line', () => {
    late(300);
    late(400);
    late(250);
    expect(lines).toEqual([{ count: 1, durationMs: 300 }]);
    late(0);
    now += 10_000 - period;
    lag.start();
    late(0);
    expect(lines).toEqual([
      { count: 1, durationMs: 300 },
      { count: 2, durationMs: 400 },
    ]);
  });

  it('looks often enough for a short warning', () => {
    lag = new LoopLag(10, {
      clock: { now: () => now, every: (ms: number) => ((period = ms), () => undefined) } as unknown as Clock,
      log: {} as Logger,
      beat: () => undefined,
    });
    lag.start();
    expect(period).toBe(5);
  });
});
