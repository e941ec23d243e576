import type { Fault } from './faults.ts';

/** What befalls a primary that Sentinels watch. */
export const SENTINEL_FAULTS: readonly Fault[] = [{ name: 'none', population: 'owned' }];
