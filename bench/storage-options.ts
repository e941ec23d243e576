/** The command lines of the benchmarks of the near-cache's storage. */
import { parseSize } from '../src/config/units.ts';
import { type FlagSet, type Flags, type Preset, readFlags } from './flags.ts';
import { type PolicyName, policyNames } from './hit-ratio/policies.ts';

/** How large a cache is. Shape: `share` of the trace's keys, or with --bytes of their bytes; else `amount` of them. */
export interface Capacity {
  readonly text: string;
  readonly share?: number;
  readonly amount?: number;
}

export interface HitRatioOptions {
  readonly preset: Preset;
  /** Files; none = the traces that are made here. */
  readonly traces: readonly string[];
  readonly capacities: readonly Capacity[];
  readonly policies: readonly PolicyName[];
  /** Capacities bound bytes, and entries have the sizes of the trace. */
  readonly bytes: boolean;
  /** How many requests a trace that is made here has, and of which seed. */
  readonly requests: number;
  readonly seed: number;
}

export interface MemoryOptions {
  readonly preset: Preset;
  readonly limits: readonly number[];
  readonly inserts: number;
  /** Distinct keys of the part that times hits under churn; 0 = leave it out. */
  readonly churnKeys: number;
  /** How long churn goes on while memory is watched; 0 = leave it out. */
  readonly minutes: number;
}

export interface L1Options {
  readonly preset: Preset;
  readonly entries: number;
  readonly rounds: number;
  /** Operations a round and figure. */
  readonly operations: number;
  readonly churnOperations: number;
}

const hitRatioFlags: FlagSet = {
  defaults: {
    trace: '',
    capacity: '1%,3%,10%,30%',
    policy: policyNames.join(','),
    requests: '1000000',
    seed: '1',
  },
  presets: { full: {}, quick: { requests: '200000', capacity: '1%,10%' }, gate: {} },
  switches: ['bytes'],
};

const memoryFlags: FlagSet = {
  defaults: { limit: '64mb,256mb', inserts: '1500000', 'churn-keys': '10000000', minutes: '1' },
  presets: {
    full: {},
    quick: { limit: '64mb', inserts: '500000', 'churn-keys': '1000000', minutes: '0.1' },
    gate: {},
  },
  switches: [],
};

const l1Flags: FlagSet = {
  defaults: { entries: '1000000', rounds: '7', operations: '500000', 'churn-operations': '5000000' },
  presets: {
    full: {},
    quick: { entries: '100000', rounds: '3', operations: '200000', 'churn-operations': '1000000' },
    gate: {},
  },
  switches: [],
};

/** Reads the flags of `hit-ratio`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseHitRatio(args: readonly string[]): HitRatioOptions {
  const flags = readFlags(args, hitRatioFlags);
  const bytes = flags.switch('bytes') === true;
  return {
    preset: flags.preset,
    traces: flags.texts('trace'),
    capacities: capacitiesOf(flags, bytes),
    policies: flags.words('policy', policyNames),
    bytes,
    requests: flags.number('requests', 1),
    seed: flags.number('seed', 0),
  };
}

/** Reads the flags of `memory`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseMemory(args: readonly string[]): MemoryOptions {
  const flags = readFlags(args, memoryFlags);
  return {
    preset: flags.preset,
    limits: flags.list('limit', 'sizes such as 64mb', parseSize),
    inserts: flags.number('inserts', 1),
    churnKeys: flags.number('churn-keys', 0),
    minutes: flags.number('minutes', 0),
  };
}

/** Reads the flags of `l1`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseL1(args: readonly string[]): L1Options {
  const flags = readFlags(args, l1Flags);
  return {
    preset: flags.preset,
    entries: flags.number('entries', 1_000),
    rounds: flags.number('rounds', 1),
    operations: flags.number('operations', 1_000),
    churnOperations: flags.number('churn-operations', 1_000),
  };
}

function capacitiesOf(flags: Flags, bytes: boolean): Capacity[] {
  const wants = bytes
    ? 'sizes such as 64mb and shares such as 1%'
    : 'entries such as 1000 and shares such as 1%';
  return flags.list('capacity', wants, (text) => {
    if (text.endsWith('%')) {
      const share = Number(text.slice(0, -1)) / 100;
      return share > 0 && share <= 1 ? { text, share } : undefined;
    }
    const amount = bytes ? parseSize(text) : /^\d+$/.test(text) ? Number(text) : undefined;
    return amount === undefined || amount < 1 ? undefined : { text, amount };
  });
}
