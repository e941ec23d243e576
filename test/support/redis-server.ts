import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-port.ts';
import { sentinelConfigIn } from './redis-backend.ts';
import type { RedisBackend, RedisOptions, RedisServer } from './redis-backend.ts';
import { processBackend } from './redis-process.ts';

export type { RedisOptions, RedisServer } from './redis-backend.ts';

/** Starts a real redis-server, which saves nothing, on a loopback port and waits until it answers. It ends with `stop()`
 *  or with this process.
 *  Errors: rejects with the server's own last words when it does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const backend = await chosenBackend();
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
