import { LINK_MUTANTS } from './link-mutants.ts';
import type { Mutant } from './mutant.ts';
import { OUTAGE_MUTANTS } from './outage-mutants.ts';
import { READ_MUTANTS } from './read-mutants.ts';
import { SHARD_MUTANTS } from './shard-mutants.ts';
import { WRITE_MUTANTS } from './write-mutants.ts';

export const MUTANTS: readonly Mutant[] = [
  ...WRITE_MUTANTS,
  ...LINK_MUTANTS,
  ...READ_MUTANTS,
  ...SHARD_MUTANTS,
  ...OUTAGE_MUTANTS,
];
