import { openBank } from './bank.ts';
import { EPOCH } from './keyspace.ts';
import { Client } from './client.ts';
import { operationOf, type Stage } from './stage.ts';

/** Counters begin, the bank opens. Versions of an epoch are above those of all before it. */
export async function seed(stage: Stage): Promise<void> {
  const { keyspace, world, epoch } = stage;
  for (const db of [0, 1]) {
    const client = await Client.connect(world.redis.port, { proto: 2, db });
    const value = String(epoch * EPOCH);
    const fields = keyspace.hashes.filter((hash) => hash.db === db).flatMap((hash) => hash.fields);
    for (const register of [...keyspace.countersOf(db), ...fields]) {
      const { key, field } = register;
      const outcome = await (field === undefined
        ? client.call('SET', key, value)
        : client.call('HSET', key, field, value));
      const operation = operationOf(outcome, 'outside', 'seed');
      register.history.writes.push({ ...operation, version: epoch * EPOCH, token: value });
    }
    client.close();
  }
  if (keyspace.hasBank) await openBank(stage);
}

/** Redis dies with all its data. Who owns slots goes on under new keys, counters begin again above every version there was. */
export async function loseEverything(stage: Stage, downMs: number): Promise<void> {
  const diesAt = performance.now();
  await stage.world.loseRedis(downMs, async () => {
    forgetSlots(stage, diesAt);
    stage.epoch++;
    await seed(stage);
  });
}

/** Reads that are on their way may find the old keys gone. */
function forgetSlots({ keyspace }: Stage, start: number): void {
  for (const slot of keyspace.slots) keyspace.retire(slot);
  const loss = { start, end: Infinity, connection: 0, order: 0, via: 'outside', command: 'loss' } as const;
  for (const { history, lastVersion } of keyspace.retired) {
    history.writes.push({ ...loss, version: lastVersion + 1, token: null });
  }
}
