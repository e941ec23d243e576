import { describe, expect, it } from 'vitest';

import { Ramp } from '../../../src/shard/ramp.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const OPTIONS = { forMs: 5000, rate: 100, queueTimeoutMs: 1000 };

/** Tries again each time that it is woken, as a session does. */
class Reader {
  read = 1;
  outcome: 'go' | 'wait' | 'late' = 'wait';
  readonly #ramp: Ramp;
  readonly #clock: ManualClock;

  constructor(ramp: Ramp, clock: ManualClock) {
    this.#ramp = ramp;
    this.#clock = clock;
    this.wake();
  }

  wake(): void {
    this.outcome = this.#ramp.admit(this, this.read, this.#clock.now());
  }
}

function stage(options: Partial<typeof OPTIONS> = {}): {
  ramp: Ramp;
  clock: ManualClock;
  readers: (count: number) => Reader[];
} {
  const clock = new ManualClock();
  const ramp = new Ramp({ ...OPTIONS, ...options }, clock);
  return { ramp, clock, readers: (count) => Array.from({ length: count }, () => new Reader(ramp, clock)) };
}

const gone = (readers: readonly Reader[]): number => readers.filter(({ outcome }) => outcome === 'go').length;

describe('The ramp after an outage', () => {
  it('lets everything pass while there was none', () => {
    const { readers } = stage();
    expect(gone(readers(1000))).toBe(1000);
  });

  it('lets as many pass as its rate says, the oldest first, and twice as many in the next second', () => {
    const { ramp, clock, readers } = stage({ queueTimeoutMs: 10_000 });
    ramp.begin(clock.now());
    const all = readers(1000);
    for (let i = 0; i < 100; i++) clock.advance(10);
    const inFirst = gone(all);
    expect(inFirst).toBeGreaterThanOrEqual(95);
    expect(inFirst).toBeLessThanOrEqual(101);
    expect(all.slice(0, inFirst).every(({ outcome }) => outcome === 'go')).toBe(true);
    for (let i = 0; i < 100; i++) clock.advance(10);
    expect(gone(all) - inFirst).toBeGreaterThanOrEqual(190);
    expect(gone(all) - inFirst).toBeLessThanOrEqual(203);
  });

  it('lets nobody wait for longer than the queue time-out', () => {
    const { ramp, clock, readers } = stage();
    ramp.begin(clock.now());
    const all = readers(1000);
    for (let i = 0; i < 101; i++) clock.advance(10);
    expect(all.filter(({ outcome }) => outcome === 'wait')).toEqual([]);
    expect(ramp.refused).toBe(all.filter(({ outcome }) => outcome === 'late').length);
    expect(ramp.delayed).toBeGreaterThan(800);
  });

  it('ends by itself, and those who wait then go', () => {
    const { ramp, clock, readers } = stage({ forMs: 500, queueTimeoutMs: 10_000 });
    ramp.begin(clock.now());
    const all = readers(1000);
    for (let i = 0; i < 52; i++) clock.advance(10);
    expect(gone(all)).toBe(1000);
    expect(ramp.isActive).toBe(false);
  });

  it('gives the turn of one who does not want it any more to the next', () => {
    const { ramp, clock, readers } = stage({ queueTimeoutMs: 10_000 });
    ramp.begin(clock.now());
    const silent = Array.from({ length: 20 }, () => ({ wake: (): void => undefined }));
    for (const each of silent) ramp.admit(each, 1, clock.now());
    const [reader] = readers(1) as [Reader];
    for (let i = 0; i < 40; i++) clock.advance(10);
    expect(reader.outcome).toBe('go');
  });

  it('counts for each read what itself has waited, not what an earlier one of its session had', () => {
    const { ramp, clock, readers } = stage({ rate: 0.1 });
    ramp.begin(clock.now());
    const [reader] = readers(1) as [Reader];
    clock.advance(900);
    // That one was answered otherwise.
    reader.read++;
    reader.wake();
    clock.advance(900);
    expect(reader.outcome).toBe('wait');
    clock.advance(110);
    expect(reader.outcome).toBe('late');
  });

  it('forgets whoever does not come back', () => {
    const { ramp, clock } = stage();
    ramp.begin(clock.now());
    const session = { wake: (): void => undefined };
    expect(ramp.admit(session, 1, clock.now())).toBe('wait');
    for (let i = 0; i < 3; i++) clock.advance(10);
    ramp.begin(clock.now());
    clock.advance(1500);
    ramp.begin(clock.now());
    expect(ramp.admit(session, 1, clock.now())).toBe('wait');
  });

  it('is none when it is switched off', () => {
    const { ramp, clock, readers } = stage({ forMs: 0 });
    ramp.begin(clock.now());
    expect(gone(readers(1000))).toBe(1000);
  });
});
