import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';

/** What became different between two configurations. */
export interface ConfigDifference {
  /** The shards or how keys are placed over them: can be changed while running. */
  readonly ringChanged: boolean;
  /** All else, by key: needs a restart. Never values, some of which are secret. */
  readonly restartKeys: readonly (keyof Config)[];
}

/** Where the upstream is a ring these show in it, or concern no one. */
const APPLIED: ReadonlySet<string> = new Set(['upstreamUser', 'upstreamPassword']);

/** Compare what runs with what was read again. */
export function configDifference(before: Config, after: Config): ConfigDifference {
  // A key that is absent in one may be there in the other.
  const keys = Object.keys({ ...before, ...after }) as (keyof Config)[];
  const changed = keys.filter((key) => !APPLIED.has(key) && !isDeepStrictEqual(before[key], after[key]));
  const isRing = before.upstream.kind === 'ring' && after.upstream.kind === 'ring';
  return {
    ringChanged: isRing && changed.includes('upstream'),
    restartKeys: changed.filter((key) => !(isRing && key === 'upstream')),
  };
}
