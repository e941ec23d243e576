import { spawnSync } from 'node:child_process';

import type { RedisBackend, RedisOptions, RedisServer } from '../../src/drill/servers/redis-backend.ts';
import { processBackend } from '../../src/drill/servers/redis-process.ts';
import { startRedisOn } from '../../src/drill/servers/redis-server.ts';

export type { RedisOptions, RedisServer } from '../../src/drill/servers/redis-backend.ts';

/** Starts a real redis-server, which saves nothing, on a loopback port and waits until it answers. It ends with `stop()`
 *  or with this process.
 *  Errors: rejects with the server's own last words when it does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  return startRedisOn(await chosenBackend(), options);
}

/** `container` where a Docker engine answers within 2 seconds and NEARCACHE_TEST_BACKEND is not `process`. */
export function backendName(): RedisBackend['name'] {
  const wanted = process.env['NEARCACHE_TEST_BACKEND'];
  if (wanted === 'process' || wanted === 'container') return wanted;
  const asked = spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], {
    timeout: 2_000,
    encoding: 'utf8',
  });
  return asked.status === 0 && asked.stdout.trim() !== '' ? 'container' : 'process';
}

let backend: RedisBackend | undefined;

async function chosenBackend(): Promise<RedisBackend> {
  // testcontainers takes a second to load, which only those who have an engine should pay.
  backend ??=
    backendName() === 'process' ? processBackend : (await import('./redis-container.ts')).containerBackend;
  return backend;
}
