import { type Census, takeCensus } from './census.ts';
import { type Conflict, Copier, type CopierOptions } from './copier.ts';
import { changeId, type EpochOptions, Epochs } from './epochs.ts';
import type { KeyMap } from './key-map.ts';
import { chooseMethod } from './method.ts';
import type { ShardClient } from './shard-client.ts';
import type { MoveMethod, RingRecord } from '../route/ring-record.ts';

export interface RunOptions extends EpochOptions, Omit<CopierOptions, 'onMoved'> {
  readonly resume: boolean;
  readonly method: MoveMethod | 'auto';
  readonly deleteStrays: boolean;
  readonly random: () => number;
  readonly onPhase: (phase: Phase) => void;
  /** Keys moved so far, of about so many. */
  readonly onProgress: (moved: number, total: number) => void;
}

export type Phase = 'counting' | 'waiting for every nearcache' | 'switching' | 'moving' | 'finishing';

export interface RunResult {
  readonly moved: number;
  readonly method: MoveMethod;
  /** What is left on both sides; the change is not over while there is one. */
  readonly conflicts: readonly Conflict[];
}

/** Make a ring another while it is used (docs/decisions/0008-resharding.md).
 *  Errors: rejects with what is in the way; all that was done stays, and a run with `resume` goes on from there. */
export async function runReshard(
  clients: readonly ShardClient[],
  map: KeyMap,
  options: RunOptions,
): Promise<RunResult> {
  const epochs = new Epochs(clients, map, options);
  const begun = epochs.begun(await epochs.records());
  if (begun !== undefined && begun.state === 'done' && (await isOver(epochs))) {
    throw new Error('this change is over: all shards have the new ring');
  }
  if (begun !== undefined && !options.resume) {
    throw new Error('this change has begun already: go on with --resume');
  }
  const total = await count(clients, map, options, begun !== undefined);
  const method = begun?.method ?? (await chooseMethod(clients, options.method));
  await epochs.begin(begun?.id ?? changeId(options.random), method);
  options.onPhase('waiting for every nearcache');
  await epochs.allReady();
  return moveEverything(epochs, clients, map, { options, total, method });
}

async function moveEverything(
  epochs: Epochs,
  clients: readonly ShardClient[],
  map: KeyMap,
  { options, total, method }: { options: RunOptions; total: number; method: MoveMethod },
): Promise<RunResult> {
  options.onPhase('switching');
  // Those that are new first: a nearcache that has only the new ring is refused by them.
  for (const shard of [...clients.keys()].toReversed()) await epochs.switchShard(shard);
  options.onPhase('moving');
  let moved = 0;
  const onMoved = (keys: number): void => options.onProgress((moved += keys), total);
  const copier = new Copier(clients, map, { ...options, onMoved });
  for (const [shard, record] of (await epochs.records()).entries()) {
    if (shard < map.oldCount && record?.state === 'migrating') await copier.empty(shard, record);
  }
  if (copier.conflicts.length > 0) return { moved, method, conflicts: copier.conflicts };
  options.onPhase('finishing');
  await epochs.finish();
  return { moved, method, conflicts: [] };
}

/** Answers how many keys there are to move. Errors: throws when there are strays that nobody wants deleted. */
async function count(
  clients: readonly ShardClient[],
  map: KeyMap,
  { batch, deleteStrays, onPhase }: RunOptions,
  hasBegun: boolean,
): Promise<number> {
  onPhase('counting');
  const onStrays = async (client: ShardClient, db: number, keys: readonly Buffer[]): Promise<void> => {
    // In the old ring nobody looks for them there.
    if (deleteStrays && !hasBegun) await client.call(db, ['UNLINK', ...keys]);
  };
  const census = await takeCensus(clients, map, { batch, hasBegun, onStrays });
  const strays = census.shards.filter((shard) => shard.strays > 0);
  if (strays.length > 0 && !deleteStrays && !hasBegun) {
    const where = strays.map((shard) => `${shard.strays} on ${shard.name}`).join(', ');
    throw new Error(
      `there are keys on shards that do not own them in the old ring (${where}); they might come back: remove them, or let --delete-strays do that`,
    );
  }
  return movingOf(census);
}

export function movingOf(census: Census): number {
  return census.flows.reduce((sum, { keys }) => sum + keys, 0);
}

async function isOver(epochs: Epochs): Promise<boolean> {
  const records: readonly (RingRecord | undefined)[] = await epochs.records();
  return records.every((record) => record?.state === 'done');
}
