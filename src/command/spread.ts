import type { CommandSpec } from './spec.ts';
import { spreadRows } from './spread-rows.ts';
import { allCommands } from './table.ts';

/** How the replies of several shards become one (route/merge.ts). If one of them is an error, the first error in the
 *  order of the shards is the answer, but for `any-ok` and `info`. */
export type MergeRule =
  /** All must be the same bytes, which are the answer. */
  | 'same'
  /** The first one; they may differ in their wording. */
  | 'first'
  /** Integers. */
  | 'sum'
  | 'min'
  | 'max'
  /** Arrays of one shape, place by place: integers are added, anything else must be the same. */
  | 'sum-each'
  /** As `sum-each`, with the smallest integer. */
  | 'min-each'
  /** Arrays with an element for each key of a part, put back in the order of the request's keys. */
  | 'request-order'
  /** Arrays, one behind the other. */
  | 'concat'
  /** Arrays, each element once. */
  | 'union'
  /** OK if one shard says so; else the first error that says more than NOTBUSY. */
  | 'any-ok'
  /** One that is not nil, by chance; nil when all are. */
  | 'any-not-nil'
  /** Entries of a log, the newest first, as many as were asked for. */
  | 'newest'
  | 'latency-latest'
  | 'latency-history'
  | 'latency-histogram'
  /** Answers without the shards that are down, as long as one is up. */
  | 'info';

/** On which link of every shard a command runs. */
export type SpreadLink = 'shared' | 'control' | 'pinned';

/** What a command does when Redis is several shards. The set is closed: a switch over `kind` must be exhaustive. */
export type Spread =
  /** On the shard of its keys. Keys on several: CROSSSLOT. No key (EVAL … 0): the home shard. */
  | { readonly kind: 'keys' }
  /** One part a shard, each with the keys that are there; `step` arguments belong to a key. */
  | { readonly kind: 'split'; readonly step: 1 | 2; readonly merge: 'request-order' | 'sum' | 'same' }
  /** As it is, on every shard. */
  | { readonly kind: 'all'; readonly link: SpreadLink; readonly merge: MergeRule }
  /** Shard after shard, by a cursor that says which (route/scan-cursor.ts). */
  | { readonly kind: 'scan' }
  /** On one shard, always the same. */
  | { readonly kind: 'home' }
  /** Over a ring on the shard of its channel (argument 1), taken as a key. In a Cluster so too, unless the Cluster itself
   *  carries it to every node: then on the home shard. */
  | { readonly kind: 'channel'; readonly isClusterWide: boolean }
  /** The session decides what each shard is asked, if anything. */
  | { readonly kind: 'session' }
  /** A subcommand that the table does not know: like a command that it does not know. */
  | { readonly kind: 'unknown' }
  /** An error with `reason`, a sentence. */
  | { readonly kind: 'refused'; readonly reason: string };

/** One decision: these commands work so, for this reason. */
export interface SpreadRow {
  readonly commands: readonly string[];
  readonly spread: Spread;
  readonly reason: string;
}

const byKeys: Spread = { kind: 'keys' };
const rowOf: ReadonlyMap<string, SpreadRow> = new Map(
  spreadRows.flatMap((row) => row.commands.map((name) => [name, row] as const)),
);
const byId: readonly Spread[] = allCommands().map((spec) => rowOf.get(spec.name)?.spread ?? byKeys);

/** How the command works over several shards: by its keys, unless a row says otherwise. Cost: O(1). */
export function spreadOf(spec: CommandSpec): Spread {
  return byId[spec.id] as Spread;
}
