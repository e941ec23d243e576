import { type FlagSet, type Preset, readFlags } from '../flags.ts';

/** What `breaker` can be told. Shape: each round has a run of both sides for each row, of `seconds`. */
export interface BreakerBenchOptions {
  readonly preset: Preset;
  readonly rounds: number;
  readonly seconds: number;
}

const breakerFlags: FlagSet = {
  defaults: { rounds: '22', seconds: '1.5' },
  presets: { full: {}, quick: { rounds: '4', seconds: '1' }, gate: {} },
  switches: [],
};

export const breakerUsage = `breaker: what the circuit breaker costs while all is well, on and off side by side
  --rounds 22      half of them with the breaker first
  --seconds 1.5   of each run; there are three for each round and row, two of which count
`;

/** Reads the flags of `breaker`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseBreaker(args: readonly string[]): BreakerBenchOptions {
  const flags = readFlags(args, breakerFlags);
  return {
    preset: flags.preset,
    rounds: flags.number('rounds', 2),
    seconds: flags.number('seconds', 0.2),
  };
}
