import { type Defaults, type Flags, type Preset, readFlags, UsageError } from './flags.ts';
import { policyNames } from './hit-ratio/policies.ts';
import { type TestName, testNames } from './load/request.ts';
import { type TargetId, targetIds } from './targets.ts';

/** What the benchmarks of the proxy can be told. Units: `rounds` are interleaved over the targets, `seconds` a round and target. */
export interface CommonOptions {
  readonly preset: Preset;
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

/** Shape: one hop; `keys` are drawn by Zipf's law with `exponent`. Units: `readShare` of all requests, 0 to 1. */
export interface MixedOptions {
  readonly preset: Preset;
  readonly clients: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly keys: number;
  readonly size: number;
  readonly readShare: number;
  readonly exponent: number;
  readonly seed: number;
  readonly hopMs: number;
  readonly pin: boolean;
}

export const usage: string = `Usage: npm run bench -- <throughput|latency|mixed|hit-ratio|memory|l1> [flags]

throughput   operations a second, CPU, memory and percentiles, side by side
latency      percentiles across a simulated network hop
mixed        reads and writes across a simulated network hop, operations a second
hit-ratio    every eviction on traces, against exact and clairvoyant ones
memory       resident memory of the near-cache against its limit, and its hits under churn
l1           cost of a hit, a miss and a set inside of the process, against lru-cache

  --quick               a small matrix, two minutes at most
  --gate                nearcache's promises, PASS or FAIL
throughput, latency and mixed:
  --targets a,b         not mixed: ${targetIds.join(', ')}
  --clients 1,50        connections
  --rounds 5            interleaved rounds
  --seconds 1           a round and target
  --keys 1              key space; 1 = redis-benchmark's fixed key, more = its -r; mixed: 10000
  --no-pin              leave the placement on cores to the kernel
throughput:
  --tests get,set
  --pipeline 1,16,64
  --size 64,1024,16384  bytes of a value
  --percentile-seconds 1   0 = no percentiles
latency:
  --hops 0,0.25,0.5,1   delay each way in milliseconds
  --size 64
mixed:
  --hop 0.5             delay each way in milliseconds
  --reads 0.9           share of the requests that are GET, the others are SET
  --zipf 0.99           exponent of the popularity of keys
  --size 64
  --seed 1
hit-ratio:
  --trace FILE          may be repeated; none = traces that are made here
  --capacity 1%,3%,10%,30%   shares of the keys, or entries such as 1000
  --policy a,b          ${policyNames.join(', ')}
  --bytes               capacities in bytes, such as 64mb, or shares of the bytes; entries have their sizes
  --requests 1000000    of a trace that is made here
  --seed 1
memory:
  --limit 64mb,256mb
  --inserts 1500000     before resident memory is read
  --churn-keys 10000000 keys that pass through while hits are timed; 0 = skip
  --minutes 1           of churn while resident memory is watched; 0 = skip
l1:
  --entries 1000000
  --rounds 7
  --operations 500000   a round
  --churn-operations 5000000
`;

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

const throughputPresets: Readonly<Record<Preset, Defaults>> = {
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
    pipeline: '1,16,64',
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

const mixedDefaults: Defaults = {
  clients: '1,8,50',
  rounds: '5',
  seconds: '2',
  keys: '10000',
  size: '64',
  reads: '0.9',
  zipf: '0.99',
  seed: '1',
  hop: '0.5',
};

/** Reads the flags of `throughput`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseThroughput(args: readonly string[]): ThroughputOptions {
  const flags = readFlags(args, {
    defaults: throughputDefaults,
    presets: throughputPresets,
    switches: ['pin'],
  });
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
  const flags = readFlags(args, {
    defaults: latencyDefaults,
    presets: {
      full: {},
      quick: { hops: '0,0.5', rounds: '1', seconds: '2' },
      gate: { targets: 'direct,nearcache-hit', hops: '0.5' },
    },
    switches: ['pin'],
  });
  const options = common(flags);
  const outOfPlace = options.targets.find((id) => id === 'twemproxy' || id === 'haproxy');
  if (outOfPlace !== undefined) throw new UsageError(`latency does not measure ${outOfPlace}`);
  return { ...options, size: flags.number('size', 1), hopsMs: flags.numbers('hops', 0) };
}

/** Reads the flags of `mixed`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseMixed(args: readonly string[]): MixedOptions {
  const flags = readFlags(args, {
    defaults: mixedDefaults,
    presets: { full: {}, quick: { rounds: '3', seconds: '1' }, gate: {} },
    switches: ['pin'],
  });
  const readShare = flags.number('reads', 0);
  if (readShare > 1) throw new UsageError('--reads takes a share from 0 to 1');
  return {
    preset: flags.preset,
    clients: flags.numbers('clients'),
    rounds: flags.number('rounds', 1),
    seconds: flags.number('seconds', 0.1),
    keys: flags.number('keys', 2),
    size: flags.number('size', 1),
    readShare,
    exponent: flags.number('zipf', 0),
    seed: flags.number('seed', 0),
    hopMs: flags.number('hop', 0),
    pin: flags.switch('pin') !== false,
  };
}

function common(flags: Flags): CommonOptions {
  return {
    preset: flags.preset,
    clients: flags.numbers('clients'),
    targets: flags.words('targets', targetIds),
    rounds: flags.number('rounds', 1),
    seconds: flags.number('seconds', 0.1),
    keys: flags.number('keys', 1),
    pin: flags.switch('pin') !== false,
  };
}
