import { type FlagSet, type Preset, readFlags } from '../flags.ts';

/** What `breaker` can be told. Shape: each of the `lives` starts its processes anew; each of its `rounds` has a run of both sides for
 *  each row, of `seconds`. */
export interface BreakerBenchOptions {
  readonly preset: Preset;
  readonly lives: number;
  readonly rounds: number;
  readonly seconds: number;
}

const breakerFlags: FlagSet = {
  defaults: { lives: '6', rounds: '4', seconds: '1.5' },
  presets: { full: {}, quick: { lives: '1', rounds: '4', seconds: '1' }, gate: {} },
  switches: [],
};

export const breakerUsage = `breaker: what the circuit breaker costs while all is well, on and off side by side
  --lives 6        so often all processes are started anew: each has luck of its own
  --rounds 4       of each life, half of them with the breaker first
  --seconds 1.5    of each run; there are two for each round and row, behind a short one
`;

/** Reads the flags of `breaker`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseBreaker(args: readonly string[]): BreakerBenchOptions {
  const flags = readFlags(args, breakerFlags);
  return {
    preset: flags.preset,
    lives: flags.number('lives', 1),
    rounds: flags.number('rounds', 2),
    seconds: flags.number('seconds', 0.2),
  };
}
