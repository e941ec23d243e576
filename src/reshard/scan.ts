import type { ShardClient } from './shard-client.ts';

/** Where a scan is. Shape: `cursor` as Redis gave it; '0' = at the beginning. */
export interface ScanPlace {
  readonly db: number;
  readonly cursor: string;
}

/** Some keys, and the place behind them. */
export interface ScanStep {
  readonly keys: readonly Buffer[];
  readonly db: number;
  /** Undefined = that was all. */
  readonly next: ScanPlace | undefined;
}

/** All keys of a shard, database by database, from `start` on; every key that is there all the time comes at least once. */
export async function* scanShard(
  client: ShardClient,
  batch: number,
  start?: ScanPlace,
): AsyncGenerator<ScanStep> {
  const databases = (await client.databases()).filter((db) => start === undefined || db >= start.db);
  for (const [index, db] of databases.entries()) {
    let cursor = db === start?.db ? start.cursor : '0';
    do {
      const reply = await client.call(db, ['SCAN', cursor, 'COUNT', String(batch)]);
      const [next, keys] = reply as [Buffer, Buffer[]];
      cursor = next.latin1Slice();
      const after = databases[index + 1];
      yield {
        keys,
        db,
        next: cursor !== '0' ? { db, cursor } : after === undefined ? undefined : { db: after, cursor },
      };
    } while (cursor !== '0');
  }
}
