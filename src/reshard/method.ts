import type { MoveMethod } from '../route/ring-record.ts';
import type { ShardClient } from './shard-client.ts';

const PROBE_KEY = 'nearcache:ring:probe';
const TIMEOUT_MS = '1000';

/** MIGRATE, if every shard may use it towards every other one; else copies. Errors: throws when MIGRATE is asked for and refused. */
export async function chooseMethod(
  clients: readonly ShardClient[],
  wanted: MoveMethod | 'auto',
): Promise<MoveMethod> {
  if (wanted === 'copy') return 'copy';
  for (const source of clients) {
    for (const sink of clients) {
      if (sink === source) continue;
      const problem = await probe(source, sink);
      if (problem === undefined) continue;
      if (wanted === 'auto') return 'copy';
      throw new Error(`shard ${source.name} cannot MIGRATE to shard ${sink.name}: ${problem}`);
    }
  }
  return 'migrate';
}

/** Move a key of our own there, within a script as all moves are. */
async function probe(source: ShardClient, sink: ShardClient): Promise<string | undefined> {
  const { host, port, user, password } = sink.target;
  const auth =
    password === undefined ? [] : user === undefined ? ['AUTH', password] : ['AUTH2', user, password];
  const key = `${PROBE_KEY}:${source.name}`;
  const script = `redis.call('SET', KEYS[1], '') return redis.call('MIGRATE', unpack(ARGV))`;
  const migrate = [host, String(port), key, '0', TIMEOUT_MS, ...auth];
  try {
    await source.redis.call('EVAL', script, '1', key, ...migrate);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await Promise.all([source.redis.del(key), sink.redis.del(key)]);
  }
}
