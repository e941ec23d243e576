import { type FlagSet, type Preset, readFlags } from '../flags.ts';

/** What `breaker` can be told. Shape: each round has a run of both sides for each row, of `seconds`. */
export interface BreakerBenchOptions {
  readonly preset: Preset;
  readonly rounds: number;
  readonly seconds: number;
}

const breakerFlags: FlagSet = {
  defaults: { rounds: '9', seconds: '3' },
  presets: { full: {}, quick: { rounds: '3', seconds: '1' }, gate: {} },
  switches: [],
};

export const breakerUsage = `breaker: what the circuit breaker costs while all is well, on and off side by side
  --rounds 9
  --seconds 3   of each run; there are two for each round and row
`;

/** Reads the flags of `breaker`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseBreaker(args: readonly string[]): BreakerBenchOptions {
  const flags = readFlags(args, breakerFlags);
  return {
    preset: flags.preset,
    rounds: flags.number('rounds', 1),
    seconds: flags.number('seconds', 0.2),
  };
}
