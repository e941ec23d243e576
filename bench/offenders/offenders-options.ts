import { type FlagSet, type Preset, readFlags } from '../flags.ts';

/** What `offenders` can be told. Units: `bigMegabytesPerSecond` as a network of 1 Gbit/s would bring it. */
export interface OffendersOptions {
  readonly preset: Preset;
  /** Before they come, with the same requests of the others, which do not count. */
  readonly warmSeconds: number;
  readonly seconds: number;
  /** Clients that read slowly, and as many that send a part of a request. */
  readonly crowd: number;
  /** Requests of the one that does not read. */
  readonly pipelined: number;
  readonly bigMegabytes: number;
  readonly bigMegabytesPerSecond: number;
  readonly requestsPerSecond: number;
}

const offendersFlags: FlagSet = {
  defaults: {
    'warm-seconds': '15',
    seconds: '60',
    crowd: '1000',
    pipelined: '1000000',
    'big-mb': '512',
    'big-mb-per-second': '100',
    rate: '1000',
  },
  presets: {
    full: {},
    gate: {},
    quick: { 'warm-seconds': '2', seconds: '8', crowd: '200', pipelined: '200000', 'big-mb': '128' },
  },
  switches: [],
};

export const offendersUsage = `offenders: other clients, memory and each offender's end while a thousand clients read slowly, and so on
  --warm-seconds 15        before they come, with the same requests of the others, which do not count
  --seconds 60             over which the offenders come, one after the other
  --crowd 1000             clients that read slowly, and as many that send a part of a request
  --pipelined 1000000      requests of the client that does not read
  --big-mb 512             size of the large value
  --big-mb-per-second 100  how fast it is sent
  --rate 1000              requests a second of the others, of each kind and to each nearcache
`;

/** Reads the flags of `offenders`.
 *  Errors: UsageError names the flag and what it takes. */
export function parseOffenders(args: readonly string[]): OffendersOptions {
  const flags = readFlags(args, offendersFlags);
  return {
    preset: flags.preset,
    warmSeconds: flags.number('warm-seconds', 1),
    seconds: flags.number('seconds', 1),
    crowd: flags.number('crowd', 1),
    pipelined: flags.number('pipelined', 1),
    bigMegabytes: flags.number('big-mb', 1),
    bigMegabytesPerSecond: flags.number('big-mb-per-second', 1),
    requestsPerSecond: flags.number('rate', 1),
  };
}
