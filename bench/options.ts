import { parseArgs } from 'node:util';

import { type TestName, testNames } from './load/request.ts';
import { type TargetId, targetIds } from './targets.ts';

/** What every benchmark can be told. Units: `rounds` are interleaved over the targets, `seconds` a round and target. */
export interface CommonOptions {
  readonly preset: 'full' | 'quick' | 'gate';
  readonly clients: readonly number[];
  readonly targets: readonly TargetId[];
  readonly rounds: number;
  readonly seconds: number;
  readonly keys: number;
  readonly pin: boolean;
}

export interface ThroughputOptions extends CommonOptions {
  readonly pipelines: readonly number[];
  readonly sizes: readonly number[];
  readonly tests: readonly TestName[];
  /** 0 = no percentiles. */
  readonly percentileSeconds: number;
}

export interface LatencyOptions extends CommonOptions {
  readonly size: number;
  /** Delay of the simulated hop each way. */
  readonly hopsMs: readonly number[];
}

/** A mistake on the command line. */
export class UsageError extends Error {}

export const usage: string = `Usage: npm run bench -- <throughput|latency> [flags]

throughput   operations a second, CPU, memory and percentiles, side by side
latency      percentiles across a simulated network hop

  --quick               a small matrix, two minutes at most
  --gate                throughput only: nearcache's promises against twemproxy and Redis, PASS or FAIL
  --targets a,b         ${targetIds.join(', ')}
  --clients 1,50        connections
  --rounds 5            interleaved rounds
  --seconds 1           a round and target
  --keys 1              key space; 1 = redis-benchmark's fixed key, more = its -r
  --no-pin              leave the placement on cores to the kernel
throughput:
  --tests get,set
  --pipeline 1,16,64
  --size 64,1024,16384  bytes of a value
  --percentile-seconds 1   0 = no percentiles
latency:
  --hops 0,0.25,0.5,1   delay each way in milliseconds
  --size 64
`;

type Defaults = Readonly<Record<string, string>>;

const throughputDefaults: Defaults = {
  targets: targetIds.join(','),
  clients: '1,50',
  rounds: '5',
  seconds: '1',
  keys: '1',
  tests: testNames.join(','),
  pipeline: '1,16,64',
  size: '64,1024,16384',
  'percentile-seconds': '1',
};

const throughputPresets: Readonly<Record<CommonOptions['preset'], Defaults>> = {
  full: {},
  quick: {
    clients: '50',
    rounds: '3',
    seconds: '0.5',
    pipeline: '1,16',
    size: '64',
  },
  gate: {
    targets: 'direct,twemproxy,nearcache-off,nearcache-hit',
    clients: '50',
    rounds: '9',
    pipeline: '1,16',
    size: '64',
    'percentile-seconds': '0',
  },
};

const latencyDefaults: Defaults = {
  targets: 'direct,nearcache-off,nearcache-hit',
  clients: '1,50',
  rounds: '3',
  seconds: '4',
  keys: '1',
  size: '64',
  hops: '0,0.25,0.5,1',
};

/** Reads the flags of `throughput`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseThroughput(args: readonly string[]): ThroughputOptions {
  const flags = readFlags(args, throughputDefaults, throughputPresets);
  return {
    ...common(flags),
    pipelines: flags.numbers('pipeline'),
    sizes: flags.numbers('size'),
    tests: flags.words('tests', testNames),
    percentileSeconds: flags.number('percentile-seconds', 0),
  };
}

/** Reads the flags of `latency`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseLatency(args: readonly string[]): LatencyOptions {
  const flags = readFlags(args, latencyDefaults, {
    full: {},
    quick: { hops: '0,0.5', rounds: '1', seconds: '2' },
    gate: {},
  });
  if (flags.preset === 'gate') throw new UsageError('--gate belongs to throughput');
  const options = common(flags);
  const outOfPlace = options.targets.find((id) => id === 'twemproxy' || id === 'haproxy');
  if (outOfPlace !== undefined) throw new UsageError(`latency does not measure ${outOfPlace}`);
  return { ...options, size: flags.number('size', 1), hopsMs: flags.numbers('hops', 0) };
}

function common(flags: Flags): CommonOptions {
  return {
    preset: flags.preset,
    clients: flags.numbers('clients'),
    targets: flags.words('targets', targetIds),
    rounds: flags.number('rounds', 1),
    seconds: flags.number('seconds', 0.1),
    keys: flags.number('keys', 1),
    pin: flags.pin,
  };
}

interface Flags {
  readonly preset: CommonOptions['preset'];
  readonly pin: boolean;
  number(name: string, least: number): number;
  numbers(name: string, least?: number): number[];
  words<T extends string>(name: string, known: readonly T[]): T[];
}

function readFlags(
  args: readonly string[],
  defaults: Defaults,
  presets: Readonly<Record<CommonOptions['preset'], Defaults>>,
): Flags {
  const values = parse(args, Object.keys(defaults));
  const preset = values['gate'] === true ? 'gate' : values['quick'] === true ? 'quick' : 'full';
  const textOf = (name: string): string =>
    String(values[name] ?? presets[preset][name] ?? defaults[name] ?? '');
  const numbers = (name: string, least = 1): number[] =>
    textOf(name)
      .split(',')
      .map((word) => {
        const value = Number(word);
        if (word.trim() !== '' && value >= least) return value;
        throw new UsageError(`--${name} takes numbers of at least ${least}, not "${word}"`);
      });
  return {
    preset,
    pin: values['pin'] !== false,
    numbers,
    number(name, least) {
      const [value, ...more] = numbers(name, least);
      if (value === undefined || more.length > 0) throw new UsageError(`--${name} takes one number`);
      return value;
    },
    words: <T extends string>(name: string, known: readonly T[]) =>
      textOf(name)
        .split(',')
        .map((word) => {
          const found = known.find((each) => each === word);
          if (found !== undefined) return found;
          throw new UsageError(`--${name} takes ${known.join(', ')}, not "${word}"`);
        }),
  };
}

function parse(
  args: readonly string[],
  names: readonly string[],
): Record<string, string | boolean | undefined> {
  const flag = { type: 'boolean' } as const;
  const options = {
    quick: flag,
    gate: flag,
    pin: flag,
    ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  };
  try {
    return parseArgs({ args: [...args], options, allowNegative: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
