import { type FlagSet, type Preset, readFlags } from '../flags.ts';

/** What `recovery-storm` can be told. Units: `rate` is requests a second and nearcache; the recovery's two are what nearcache takes
 *  as --recovery-rate and, in seconds, --recovery-ramp; `outageSeconds` is how long Redis is away. */
export interface StormOptions {
  readonly preset: Preset;
  readonly nearcaches: number;
  readonly rate: number;
  readonly keys: number;
  readonly recoveryRate: number;
  readonly rampSeconds: number;
  readonly outageSeconds: number;
}

const stormFlags: FlagSet = {
  defaults: {
    nearcaches: '20',
    rate: '200',
    keys: '2000',
    'recovery-rate': '20',
    'recovery-ramp': '5',
    outage: '6',
  },
  presets: { full: {}, quick: { nearcaches: '5' }, gate: {} },
  switches: [],
};

export const stormUsage = `recovery-storm: what many nearcaches send to a Redis that comes back, with and without the ramp
  --nearcaches 20
  --rate 200          requests a second and nearcache
  --keys 2000
  --recovery-rate 20  as nearcache takes it
  --recovery-ramp 5   the same, in seconds
  --outage 6          seconds that Redis is away
`;

/** Reads the flags of `recovery-storm`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseStorm(args: readonly string[]): StormOptions {
  const flags = readFlags(args, stormFlags);
  return {
    preset: flags.preset,
    nearcaches: flags.number('nearcaches', 1),
    rate: flags.number('rate', 50),
    keys: flags.number('keys', 10),
    recoveryRate: flags.number('recovery-rate', 1),
    rampSeconds: flags.number('recovery-ramp', 2),
    outageSeconds: flags.number('outage', 1),
  };
}
