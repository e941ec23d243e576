import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Breaker, type BreakerOptions, type BreakerState } from '../../../src/shard/breaker.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const OPTIONS: BreakerOptions = {
  errorPercent: 50,
  slowMs: 100,
  slowPercent: 80,
  windowMs: 10_000,
  volume: 20,
  openMs: 1000,
  probes: 3,
};

/** A breaker whose probes wait for `answer`. */
class Bench {
  readonly clock = new ManualClock();
  readonly seen: BreakerState[] = [];
  readonly breaker: Breaker;
  probesOut = 0;
  #answers: ((problem: string | undefined) => void)[] = [];

  constructor(options: Partial<BreakerOptions> = {}) {
    this.breaker = new Breaker({ ...OPTIONS, ...options }, this.clock, (done) => {
      this.probesOut++;
      this.#answers.push(done);
    });
    this.breaker.onChange = (state) => this.seen.push(state);
  }

  answer(problem?: string): void {
    this.probesOut--;
    this.#answers.shift()?.(problem);
  }

  /** So many commands, of which so many fail. */
  run(commands: number, failed: number): void {
    this.breaker.window.commands += commands;
    for (let i = 0; i < failed; i++) this.breaker.failed('LOADING', 1);
  }
}

describe('A circuit breaker', () => {
  // The time for which it stays open is opossum's, which uses the system's timers.
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('opens when the rate of failures is reached, and says why', () => {
    const { breaker, run, seen } = bound(new Bench());
    run(40, 19);
    expect(breaker.isClosed).toBe(true);
    run(0, 1);
    expect(breaker.isClosed).toBe(false);
    expect(breaker.state).toBe('open');
    expect(breaker.reason).toBe('LOADING');
    expect(seen).toEqual(['open']);
  });

  it('stays closed below its volume, however many fail', () => {
    const { breaker, run } = bound(new Bench());
    run(19, 19);
    expect(breaker.isClosed).toBe(true);
    run(1, 1);
    expect(breaker.isClosed).toBe(false);
  });

  it('opens when too many are slow', () => {
    const { breaker } = new Bench();
    breaker.window.commands = 20;
    breaker.window.slow = 15;
    breaker.tick(0);
    expect(breaker.isClosed).toBe(true);
    breaker.window.slow = 16;
    breaker.tick(0);
    expect(breaker.isClosed).toBe(false);
    expect(breaker.reason).toContain('over 100 ms');
  });

  it('looks at slow commands in each tick, however short its window is', () => {
    const { breaker } = new Bench({ windowMs: 500 });
    for (let now = 0; now <= 400 && breaker.isClosed; now += 100) {
      breaker.window.commands += 10;
      breaker.window.slow += 10;
      breaker.tick(now);
    }
    expect(breaker.isClosed).toBe(false);
  });

  it('sends one probe at a time when its time is over, and closes after the last', async () => {
    const bench = new Bench();
    bench.breaker.trip('gone');
    vi.advanceTimersByTime(999);
    expect(bench.probesOut).toBe(0);
    vi.advanceTimersByTime(1);
    for (let i = 0; i < 3; i++) {
      expect(bench.probesOut).toBe(1);
      expect(bench.breaker.state).toBe('half-open');
      bench.answer();
    }
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.breaker.state).toBe('closed');
    expect(bench.seen).toEqual(['open', 'half-open', 'closed']);
  });

  it('opens again when a probe fails, which is one trip all the same', async () => {
    const bench = new Bench();
    bench.breaker.trip('gone');
    await vi.advanceTimersByTimeAsync(1000);
    bench.answer();
    bench.answer('still gone');
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.breaker.state).toBe('open');
    expect(bench.breaker.reason).toBe('still gone');
    await vi.advanceTimersByTimeAsync(1000);
    expect(bench.breaker.state).toBe('half-open');
    for (let i = 0; i < 3; i++) bench.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.breaker.isClosed).toBe(true);
    expect(bench.breaker.trips).toBe(1);
  });

  it('has forgotten what it counted when it closes', async () => {
    const bench = new Bench();
    bench.run(20, 20);
    await vi.advanceTimersByTimeAsync(1000);
    for (let i = 0; i < 3; i++) bench.answer();
    await vi.advanceTimersByTimeAsync(0);
    bench.run(20, 9);
    expect(bench.breaker.isClosed).toBe(true);
  });

  it('closes at once on other proof than its probes', () => {
    const { breaker } = new Bench();
    breaker.trip('gone');
    breaker.reset();
    expect(breaker.isClosed).toBe(true);
    vi.advanceTimersByTime(5000);
    expect(breaker.isClosed).toBe(true);
  });

  it('does not hear of what happens while it is open', () => {
    const { breaker, run } = bound(new Bench());
    breaker.trip('first');
    run(100, 100);
    expect(breaker.reason).toBe('first');
    expect(breaker.trips).toBe(1);
  });
});

function bound(bench: Bench): {
  breaker: Breaker;
  run: (commands: number, failed: number) => void;
  seen: readonly BreakerState[];
} {
  return { breaker: bench.breaker, run: (commands, failed) => bench.run(commands, failed), seen: bench.seen };
}
