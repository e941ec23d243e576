import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { RedisBackend, RedisOptions, RedisServer } from './redis-backend.ts';
import { sentinelConfigIn } from './redis-backend.ts';

/** Starts a server on a backend that was chosen before. */
export type StartRedis = (options: RedisOptions) => Promise<RedisServer>;

/** Starts a real redis-server, which saves nothing, on a loopback port and waits until it answers. It ends with `stop()`
 *  or with this process.
 *  Errors: rejects with the server's own last words when it does not start. */
export async function startRedisOn(backend: RedisBackend, options: RedisOptions): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const dir = mkdtempSync(join(tmpdir(), 'nearcache-redis-'));
  try {
    if (options.sentinelConfig !== undefined) writeFileSync(sentinelConfigIn(dir), options.sentinelConfig);
    return await backend.start(options, port, dir);
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Starts servers at the same time.
 *  Errors: rejects when one does not start; the others are ended. */
export async function startAll(starts: readonly (() => Promise<RedisServer>)[]): Promise<RedisServer[]> {
  const results = await Promise.allSettled(starts.map((start) => start()));
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return servers;
  await stopAll(servers);
  throw failed.reason;
}

/** Ends servers at the same time, those included that have ended already. */
export async function stopAll(servers: Iterable<RedisServer>): Promise<void> {
  await Promise.all([...servers].map((server) => server.stop()));
}
