import type { Random } from '../../fuzz/random.ts';
import type { Argument } from '../../support/raw-client.ts';
import type { Outcome } from './client.ts';
import type { Keyspace } from './keyspace.ts';
import type { Stage } from './stage.ts';

/** Requests that go out together, and what to do with their outcomes (as many, in order). Make it in the turn in which it is
 *  sent: whether a read is a hit is judged from then on. */
export interface Step {
  readonly requests: readonly (readonly Argument[])[];
  readonly done: (outcomes: readonly Outcome[]) => void;
}

/** A way to make a step, and how often. Shape: `fits` = this run has what it needs. */
export interface StepKind {
  readonly weight: number;
  readonly fits: (keyspace: Keyspace) => boolean;
  readonly make: (stage: Stage, random: Random, db: number) => Step;
}

/** One of the kinds that fit, by weight. */
export class StepMix {
  readonly #kinds: readonly StepKind[];
  readonly #total: number;

  constructor(kinds: readonly StepKind[], keyspace: Keyspace) {
    this.#kinds = kinds.filter(({ fits }) => fits(keyspace));
    this.#total = this.#kinds.reduce((sum, { weight }) => sum + weight, 0);
  }

  make(stage: Stage, random: Random, db: number): Step {
    let at = random.next() * this.#total;
    for (const kind of this.#kinds) {
      at -= kind.weight;
      if (at < 0) return kind.make(stage, random, db);
    }
    throw new Error('this run has no such requests');
  }
}
