// Whatever happens, and in whatever order, a breaker goes only from one state to one that may follow, and asks one question at a time.
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Breaker, type BreakerState } from '../../src/shard/breaker.ts';
import { ManualClock } from '../support/manual-clock.ts';

const NEXT: Readonly<Record<BreakerState, readonly BreakerState[]>> = {
  closed: ['open'],
  open: ['half-open', 'closed'],
  'half-open': ['open', 'closed'],
};
const OPEN_MS = 1000;

type Event =
  | { readonly kind: 'run'; readonly commands: number; readonly failed: number; readonly slow: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'answer'; readonly isGood: boolean }
  | { readonly kind: 'trip' }
  | { readonly kind: 'reset' };

const counts = fc.nat({ max: 40 });
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), commands: counts, failed: counts, slow: counts }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 3 * OPEN_MS }) }),
  fc.record({ kind: fc.constant('answer' as const), isGood: fc.boolean() }),
  fc.record({ kind: fc.constant('trip' as const) }),
  fc.record({ kind: fc.constant('reset' as const) }),
);

const options = fc.record({
  errorPercent: fc.integer({ min: 1, max: 100 }),
  slowPercent: fc.integer({ min: 1, max: 100 }),
  volume: fc.integer({ min: 1, max: 50 }),
  probes: fc.integer({ min: 1, max: 4 }),
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A breaker whose probes are answered by hand, and what was seen of it. */
class Bench {
  readonly clock = new ManualClock();
  readonly breaker: Breaker;
  readonly probes: ((problem: string | undefined) => void)[] = [];
  readonly seen: BreakerState[] = ['closed'];
  readonly wrong: string[] = [];
  /** Good answers since it began to ask. */
  goodInRow = 0;
  hasReset = false;

  constructor(given: { errorPercent: number; slowPercent: number; volume: number; probes: number }) {
    const rest = { slowMs: 100, windowMs: 10_000, openMs: OPEN_MS };
    this.breaker = new Breaker({ ...given, ...rest }, this.clock, (done) => {
      this.probes.push(done);
      if (this.probes.length > 1) this.wrong.push('two probes are out');
      if (this.breaker.state !== 'half-open') this.wrong.push(`a probe while ${this.breaker.state}`);
    });
    this.breaker.onChange = (state) => {
      const before = this.seen.at(-1) as BreakerState;
      // Open again after a probe that failed is no news.
      if (!NEXT[before].includes(state) && !(before === 'half-open' && state === 'half-open'))
        this.wrong.push(`${before} to ${state}`);
      if (state === 'half-open') this.goodInRow = -this.probes.length;
      if (state === 'closed' && !this.hasReset && this.goodInRow < given.probes)
        this.wrong.push(`closed after ${this.goodInRow} good probes`);
      if (state !== this.breaker.state) this.wrong.push(`says ${state}, is ${this.breaker.state}`);
      this.seen.push(state);
    };
  }

  async apply(next: Event): Promise<void> {
    const { breaker } = this;
    this.hasReset = next.kind === 'reset';
    switch (next.kind) {
      case 'run': {
        const { window } = breaker;
        window.commands += next.commands;
        window.slow += Math.min(next.slow, next.commands);
        breaker.failed('LOADING', Math.min(next.failed, next.commands));
        break;
      }
      case 'wait':
        this.clock.advance(next.ms);
        breaker.tick(this.clock.now());
        await vi.advanceTimersByTimeAsync(next.ms);
        break;
      case 'answer':
        if (next.isGood) this.goodInRow++;
        this.probes.shift()?.(next.isGood ? undefined : 'still away');
        break;
      case 'trip':
        breaker.trip('gone');
        break;
      case 'reset':
        breaker.reset();
        break;
    }
    // What opossum makes of a probe's answer it does in a microtask.
    await vi.advanceTimersByTimeAsync(0);
    if (breaker.isClosed !== (breaker.state === 'closed'))
      this.wrong.push('does not know whether it is closed');
  }
}

test('only legal steps, one probe at a time, and closed only after all of its probes were good', async () => {
  await fc.assert(
    fc.asyncProperty(options, fc.array(event, { maxLength: 40 }), async (given, events) => {
      const bench = new Bench(given);
      for (const next of events) await bench.apply(next);
      expect(bench.wrong, bench.seen.join(' → ')).toEqual([]);
      bench.breaker.close();
    }),
    { numRuns: 300 },
  );
});

test('once nothing fails any more, it closes', async () => {
  await fc.assert(
    fc.asyncProperty(options, fc.array(event, { maxLength: 20 }), async (given, events) => {
      const bench = new Bench(given);
      for (const next of events) await bench.apply(next);
      for (let i = 0; i < 10 && !bench.breaker.isClosed; i++) {
        await bench.apply({ kind: 'wait', ms: OPEN_MS });
        while (bench.probes.length > 0) await bench.apply({ kind: 'answer', isGood: true });
      }
      expect(bench.breaker.state).toBe('closed');
      bench.breaker.close();
    }),
    { numRuns: 100 },
  );
});
