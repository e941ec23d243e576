/** Where a shard keeps what is being done to the ring, in database 0. Absent = nothing ever was. */
export const RING_KEY = 'nearcache:ring';
/** What nearcache's own keys begin with. They belong to a shard, not to the ring: they never move. */
export const OWN_KEY_PREFIX = 'nearcache:';

/** What an old owner lets happen to the keys that leave it (docs/decisions/0008-resharding.md).
 *  prepared: they are used here. hold: nobody uses them. migrating: they are moved before use. done: none is left. */
export const ringStates = ['prepared', 'hold', 'migrating', 'done'] as const;
export type RingState = (typeof ringStates)[number];

/** How keys are moved, the same for all: the two do not know of each other. migrate: MIGRATE. copy: DUMP, RESTORE, UNLINK. */
export const moveMethods = ['migrate', 'copy'] as const;
export type MoveMethod = (typeof moveMethods)[number];

/** One shard's record of a change of the ring. Shape: `id` names the change, `seq` rises with each step of it; `from` and `to` are
 *  ring fingerprints. */
export interface RingRecord {
  readonly id: string;
  readonly seq: number;
  readonly state: RingState;
  readonly from: string;
  readonly to: string;
  readonly method: MoveMethod;
}

const RECORD = /^v1 (\w+) (\d+) (\w+) (\w+) (\w+) (\w+)$/;

/** One line. Two records are the same exactly when their lines are. */
export function printRecord({ id, seq, state, from, to, method }: RingRecord): string {
  return `v1 ${id} ${seq} ${state} ${from} ${to} ${method}`;
}

/** Read such a line; undefined when it is none. */
export function parseRecord(line: string): RingRecord | undefined {
  const match = RECORD.exec(line);
  const state = ringStates.find((each) => each === match?.[3]);
  const method = moveMethods.find((each) => each === match?.[6]);
  if (match === null || state === undefined || method === undefined) return undefined;
  const [, id, seq, , from, to] = match as unknown as [string, string, string, string, string, string];
  return { id, seq: Number(seq), state, from, to, method };
}

/** The next step. */
export function nextRecord(record: RingRecord, state: RingState): RingRecord {
  return { ...record, state, seq: record.seq + 1 };
}
