import { type FlagSet, type Preset, readFlags } from '../flags.ts';

/** What `paused-shard` can be told. Units: `rate` is requests a second to all three shards together; the times are seconds. */
export interface PauseOptions {
  readonly preset: Preset;
  readonly rate: number;
  /** A shard's; half of them carry reads of hot keys, the others all else. */
  readonly connections: number;
  /** Sent before all else and not counted, until nearcache's memory has stopped to grow. */
  readonly warmSeconds: number;
  readonly calmSeconds: number;
  readonly pauseSeconds: number;
  readonly afterSeconds: number;
}

const pauseFlags: FlagSet = {
  defaults: { rate: '5000', connections: '8', warm: '15', calm: '10', pause: '30', after: '10' },
  presets: { full: {}, quick: { warm: '5', calm: '5', pause: '15', after: '6' }, gate: {} },
  switches: [],
};

export const pauseUsage = `paused-shard: what one of three shards that is frozen does to the others, to memory and to its own requests
  --rate 5000      requests a second to all three together
  --connections 8  for each shard
  --warm 15        seconds before, not counted
  --calm 10        seconds before
  --pause 30       seconds that it is frozen
  --after 10       seconds behind
`;

/** Reads the flags of `paused-shard`.
 *  Errors: UsageError names the flag and what it takes. */
export function parsePause(args: readonly string[]): PauseOptions {
  const flags = readFlags(args, pauseFlags);
  return {
    preset: flags.preset,
    rate: flags.number('rate', 100),
    connections: flags.number('connections', 2),
    warmSeconds: flags.number('warm', 1),
    calmSeconds: flags.number('calm', 1),
    pauseSeconds: flags.number('pause', 1),
    afterSeconds: flags.number('after', 4),
  };
}
