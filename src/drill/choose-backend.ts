import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NotPossible } from './servers/private-names.ts';
import type { RedisBackend } from './servers/redis-backend.ts';
import { dockerBackend } from './servers/redis-docker.ts';
import { processBackend } from './servers/redis-process.ts';
import { startRedisOn } from './servers/redis-server.ts';

const run = promisify(execFile);
const ANSWER_MS = 3_000;
const PULL_MS = 120_000;

/** What servers run on, and why, for a person. */
export interface ChosenBackend {
  readonly backend: RedisBackend;
  readonly why: string;
}

/** Containers where a Docker engine answers and has, or gets, the image; else redis-server processes; or what was asked for.
 *  Errors: rejects with `NotPossible` when that cannot be had, or neither. */
export async function chooseBackend(
  wanted: 'auto' | RedisBackend['name'],
  image: string,
): Promise<ChosenBackend> {
  if (wanted === 'process') return onProcesses('as asked for');
  const missing = await missingForContainers(image);
  if (missing === undefined) return { backend: dockerBackend(image), why: `of image ${image}` };
  if (wanted === 'container') throw new NotPossible(`containers are not to be had here: ${missing}`);
  return onProcesses(`no containers, since ${missing}`);
}

async function onProcesses(why: string): Promise<ChosenBackend> {
  try {
    await run('redis-server', ['--version'], { timeout: ANSWER_MS });
  } catch (error) {
    throw new NotPossible(`redis-server does not run here (${why})`, { cause: error });
  }
  return { backend: processBackend, why };
}

/** In words what stands in the way of containers; undefined = nothing, a server in one was reached. */
async function missingForContainers(image: string): Promise<string | undefined> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: ANSWER_MS });
  } catch {
    return 'no Docker engine answers';
  }
  try {
    await run('docker', ['image', 'inspect', image], { timeout: ANSWER_MS });
  } catch {
    const pulled = await run('docker', ['pull', image], { timeout: PULL_MS }).then(
      () => true,
      () => false,
    );
    if (!pulled) return `the engine has no image ${image} and cannot get it`;
  }
  try {
    const probe = await startRedisOn(dockerBackend(image), {});
    await probe.stop();
  } catch (error) {
    return `a server in a container is not reached from here: ${error instanceof Error ? error.message : String(error)}`;
  }
  return undefined;
}
