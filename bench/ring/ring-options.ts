import { type FlagSet, type Preset, readFlags } from '../flags.ts';

/** What `ring` can be told. Shape: `keys` of each set are placed; `operations` a round and figure are timed. */
export interface RingBenchOptions {
  readonly preset: Preset;
  readonly shards: readonly number[];
  readonly keys: number;
  readonly rounds: number;
  readonly operations: number;
}

const ringFlags: FlagSet = {
  defaults: { shards: '3,5,10,20', keys: '200000', rounds: '5', operations: '500000' },
  presets: {
    full: {},
    quick: { keys: '50000', rounds: '3', operations: '200000' },
    gate: { rounds: '3', operations: '200000' },
  },
  switches: [],
};

export const ringUsage = `ring: balance and movement of keys over shards, and the cost of a lookup, for all hashes
  --shards 3,5,10,20
  --keys 200000         of each set
  --rounds 5
  --operations 500000   lookups a round
`;

/** Reads the flags of `ring`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseRing(args: readonly string[]): RingBenchOptions {
  const flags = readFlags(args, ringFlags);
  return {
    preset: flags.preset,
    shards: flags.numbers('shards', 2),
    keys: flags.number('keys', 1_000),
    rounds: flags.number('rounds', 1),
    operations: flags.number('operations', 1_000),
  };
}
