import { type FlagSet, type Preset, readFlags } from '../flags.ts';

/** What `shards` can be told. Shape: `requests` a round and load; `cacheSize` as `--cache-size`. */
export interface ShardsOptions {
  readonly preset: Preset;
  readonly rounds: number;
  readonly requests: number;
  readonly cacheSize: string;
}

const shardsFlags: FlagSet = {
  defaults: { rounds: '7', requests: '200000', 'cache-size': '0' },
  presets: { full: {}, quick: { rounds: '3', requests: '50000' }, gate: {} },
  switches: [],
};

export const shardsUsage = `shards: what a ring of three costs nearcache, against one Redis
  --rounds 7
  --requests 200000   a round and load
  --cache-size 0      with a near-cache: its size
`;

/** Reads the flags of `shards`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseShards(args: readonly string[]): ShardsOptions {
  const flags = readFlags(args, shardsFlags);
  return {
    preset: flags.preset,
    rounds: flags.number('rounds', 1),
    requests: flags.number('requests', 1_000),
    cacheSize: flags.texts('cache-size')[0] ?? '0',
  };
}
