import type { DrillRecord } from '../../src/drill/record.ts';
import type { RedisBackend } from '../../src/drill/servers/redis-backend.ts';
import type { Holdings } from './holdings.ts';

export interface SoakOptions {
  readonly backend: RedisBackend;
  readonly seconds: number;
  /** Time that other machines take is made up for with more faults, until it is so much in all. */
  readonly mostSeconds: number;
  readonly everySeconds: number;
  readonly ratePerSecond: number;
  readonly shards: number;
  readonly seed: number;
  /** Is nearcache killed too, in the first half? */
  readonly crashes: boolean;
  /** Names of faults; none = all. */
  readonly only: readonly string[];
  /** Called with each line of progress. */
  readonly say: (text: string) => void;
}

/** What nearcache held at some moment of one life. Shape: `faults` is how many that life had gone through by then. */
export interface LookAt {
  readonly atMs: number;
  readonly life: number;
  readonly faults: number;
  readonly held: Holdings;
}

/** What was struck, and what came of it. */
export interface StruckFault {
  readonly atMs: number;
  readonly name: string;
  readonly shards: readonly string[];
  readonly errors: number;
}

/** All that a soak came to. */
export interface SoakRecord extends DrillRecord {
  readonly seed: number;
  readonly faults: readonly StruckFault[];
  readonly looks: readonly LookAt[];
  /** What nearcache has logged, from warnings on. */
  readonly logs: string;
}
