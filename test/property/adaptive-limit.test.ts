import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { AdaptiveLimit } from '../../src/shard/adaptive-limit.ts';

/** One server that serves one command after the other, behind a wire. Units: ms. */
interface Server {
  serviceMs: number;
  wireMs: number;
}

/** What a phase of load has brought. */
interface Phase {
  sent: number;
  answered: number;
  refused: number;
  meanMs: number;
}

const TICK_MS = 50;

/** Commands come by chance, so many times as fast as the server serves; what is over the limit is refused. */
class Simulation {
  readonly limit: AdaptiveLimit;
  readonly server: Server;
  readonly #chance: () => number;
  #now = 0;
  #idleAt = 0;
  #nextTick = 0;
  /** When the commands in flight were sent, and will be answered, oldest first. */
  #inFlight: { sentAt: number; answerAt: number }[] = [];

  constructor(limit: AdaptiveLimit, server: Server, seed: number) {
    this.limit = limit;
    this.server = server;
    this.#chance = lcg(seed);
  }

  run(forMs: number, load: number): Phase {
    const end = this.#now + forMs;
    const phase: Phase = { sent: 0, answered: 0, refused: 0, meanMs: 0 };
    for (;;) {
      const next = this.#now - (Math.log(1 - this.#chance()) * this.server.serviceMs) / load;
      this.#pass(Math.min(next, end), phase);
      if (next >= end) break;
      if (this.#inFlight.length >= this.limit.limit) phase.refused++;
      else this.#send(phase);
    }
    phase.meanMs /= phase.answered;
    return phase;
  }

  #send(phase: Phase): void {
    const { serviceMs, wireMs } = this.server;
    phase.sent++;
    this.#idleAt = Math.max(this.#idleAt, this.#now + wireMs / 2) + serviceMs * (0.5 + this.#chance());
    this.#inFlight.push({ sentAt: this.#now, answerAt: this.#idleAt + wireMs / 2 });
  }

  /** Until `to`, answers and ticks in their order. */
  #pass(to: number, phase: Phase): void {
    for (;;) {
      const answerAt = this.#inFlight[0]?.answerAt ?? Infinity;
      this.#now = Math.min(answerAt, this.#nextTick, to);
      if (answerAt <= this.#now) {
        const latencyMs = answerAt - (this.#inFlight[0]?.sentAt ?? 0);
        this.limit.onAnswer(latencyMs, this.#inFlight.length);
        this.#inFlight.shift();
        phase.answered++;
        phase.meanMs += latencyMs;
      } else if (this.#nextTick <= this.#now) {
        this.limit.tick(this.#now);
        this.#nextTick += TICK_MS;
      } else {
        return;
      }
    }
  }
}

function lcg(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const someServer: fc.Arbitrary<Server> = fc.record({
  serviceMs: fc.double({ min: 0.05, max: 2, noNaN: true }),
  wireMs: fc.double({ min: 0.05, max: 5, noNaN: true }),
});
const someSeed = fc.integer({ min: 1, max: 2 ** 31 });
const few = { numRuns: 15, interruptAfterTimeLimit: 5000, markInterruptAsFailure: false };

test('the limit stays in its bounds whatever is told to it', () => {
  const told = fc.array(
    fc.record({
      latencyMs: fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constant(0)),
      inFlight: fc.integer({ min: 1, max: 1_000_000 }),
      passesMs: fc.double({ min: 0, max: 1000, noNaN: true }),
    }),
    { minLength: 1, maxLength: 300 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), told, (max, answers) => {
      const limit = new AdaptiveLimit({ max });
      let now = 0;
      for (const { latencyMs, inFlight, passesMs } of answers) {
        limit.onAnswer(latencyMs, inFlight);
        limit.tick((now += passesMs));
        expect(limit.limit).toBeGreaterThanOrEqual(Math.min(20, max));
        expect(limit.limit).toBeLessThanOrEqual(max);
        expect(Number.isInteger(limit.limit)).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test('nothing is refused while the server keeps up', () => {
  fc.assert(
    fc.property(
      someServer,
      someSeed,
      fc.double({ min: 0.1, max: 0.7, noNaN: true }),
      (server, seed, load) => {
        const limit = new AdaptiveLimit({ max: 100_000 });
        expect(new Simulation(limit, server, seed).run(10_000, load).refused).toBe(0);
      },
    ),
    few,
  );
});

test('in an overload commands wait little, and the server loses no work', () => {
  fc.assert(
    fc.property(someServer, someSeed, fc.double({ min: 1.5, max: 5, noNaN: true }), (server, seed, load) => {
      const limit = new AdaptiveLimit({ max: 100_000 });
      const simulation = new Simulation(limit, server, seed);
      simulation.run(3000, 0.3);
      simulation.run(5000, load);

      const busy = simulation.run(10_000, load);

      // Twenty may always be there, so what they take may be taken for normal.
      const ofTwentyMs = 20 * server.serviceMs + server.wireMs;
      expect(busy.meanMs).toBeLessThan(1.5 * (2 * ofTwentyMs + 5));
      expect(busy.answered * server.serviceMs).toBeGreaterThan(9000);
    }),
    few,
  );
});

test('an overload that is there from the beginning is ended too', () => {
  fc.assert(
    fc.property(someServer, someSeed, (server, seed) => {
      const limit = new AdaptiveLimit({ max: 100_000 });
      const simulation = new Simulation(limit, server, seed);
      simulation.run(10_000, 3);

      // What a thousand of them take was the first that it heard of.
      const firstMs = 1000 * server.serviceMs + server.wireMs;
      expect(simulation.run(10_000, 3).meanMs).toBeLessThan(1.5 * (2 * firstMs + 5));
    }),
    few,
  );
});

test('after an overload the limit grows back until nothing is refused', () => {
  fc.assert(
    fc.property(someServer, someSeed, (server, seed) => {
      const limit = new AdaptiveLimit({ max: 100_000 });
      const simulation = new Simulation(limit, server, seed);
      simulation.run(2000, 0.3);
      simulation.run(5000, 4);
      simulation.run(2000, 0.5);

      expect(simulation.run(10_000, 0.5).refused).toBe(0);
      expect(limit.limit).toBeGreaterThan(500);
    }),
    few,
  );
});

test('a server that has become slower for good is used fully again', () => {
  fc.assert(
    fc.property(someSeed, fc.double({ min: 20, max: 80, noNaN: true }), (seed, wireMs) => {
      const limit = new AdaptiveLimit({ max: 100_000 });
      const server = { serviceMs: 0.1, wireMs: 0.2 };
      const simulation = new Simulation(limit, server, seed);
      simulation.run(5000, 0.5);
      server.wireMs = wireMs;
      simulation.run(20_000, 0.5);

      const phase = simulation.run(10_000, 0.5);

      expect(phase.refused).toBe(0);
      expect(limit.baseMs).toBeGreaterThan(wireMs / 2);
    }),
    few,
  );
});
