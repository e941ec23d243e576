import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { IProbe } from 'kubernetes-models/v1';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { freePorts } from '../../src/drill/servers/free-port.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { type LocalProgram, runToEnd, startLocal } from './local-program.ts';
import { bytesOf, deploymentsOf, podOf, readManifests } from './manifests.ts';
import { environmentOf, fileIn } from './sidecar-lint.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = readManifests(readFileSync(join(root, 'k8s/sidecar-example.yaml'), 'utf8'));
const pod = podOf(deploymentsOf(file)[0] ?? { apiVersion: 'apps/v1', kind: 'Deployment' });
const container = pod.initContainers?.[0] ?? { name: '' };
const PASSWORD = 'pass word';
/** What the kubelet leaves a sidecar when the grace period has run out. */
const STOP_MS = 2_000;

/** nearcache as the manifest runs it, with Redis servers of this machine instead of those that it names. */
class Sidecar {
  readonly program: LocalProgram;
  readonly port: number;
  readonly #admin: number;

  constructor(dir: string, ports: readonly number[], redis: readonly { port: number }[]) {
    [this.port, this.#admin] = ports as [number, number];
    const env = Object.fromEntries(
      Object.entries(environmentOf(container)).map(([name, value]) => [
        name,
        value.startsWith('/etc/') ? place(dir, value, redis) : value,
      ]),
    );
    env['NEARCACHE_LISTEN'] = `127.0.0.1:${this.port}`;
    env['NEARCACHE_ADMIN'] = `127.0.0.1:${this.#admin}`;
    // No container of Kubernetes writes where it runs.
    this.program = startLocal(['node', join(root, 'src/main.ts'), 'serve'], { cwd: dir, env });
  }

  /** As the kubelet asks: any status from 200 to 399, within the probe's time. */
  async passes(probe: IProbe | undefined): Promise<boolean> {
    try {
      const { status } = await fetch(`http://127.0.0.1:${this.#admin}${probe?.httpGet?.path}`, {
        signal: AbortSignal.timeout((probe?.timeoutSeconds ?? 1) * 1000),
      });
      return status >= 200 && status < 400;
    } catch {
      return false;
    }
  }

  /** Within the time after which the kubelet would restart it. */
  async started(): Promise<void> {
    const { periodSeconds = 10, failureThreshold = 3 } = container.startupProbe ?? {};
    const ask = async (): Promise<true | undefined> =>
      (await this.passes(container.startupProbe)) ? true : undefined;
    await eventually('the startup probe passes', ask, periodSeconds * failureThreshold * 1000);
  }

  /** The most memory that it has had. Shape: undefined where this system does not tell. */
  get peakBytes(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.program.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    } catch {
      return undefined;
    }
  }
}

/** Puts what the container finds at a path into a folder. */
function place(dir: string, path: string, redis: readonly { port: number }[]): string {
  const text = fileIn(file, pod, container, path);
  const isSecret = text === 'secret';
  const local = text.replaceAll(
    /redis-(\d)\.redis:6379/g,
    (_, index: string) => `127.0.0.1:${redis[Number(index)]?.port}`,
  );
  const target = join(dir, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, isSecret ? `${PASSWORD}\n` : local);
  return target;
}

describe('nearcache as k8s/sidecar-example.yaml runs it', { timeout: 120_000 }, () => {
  let dir: string;
  let redis: RedisServer[];
  let sidecar: Sidecar;
  let app: Redis;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'nearcache-pod-'));
    redis = await Promise.all([0, 1, 2].map(() => startRedis({ password: PASSWORD })));
    sidecar = new Sidecar(dir, await freePorts(2), redis);
    await sidecar.started();
    app = new Redis(sidecar.port, '127.0.0.1', { maxRetriesPerRequest: 1 });
    app.on('error', () => {});
  }, 90_000);

  afterAll(async () => {
    app.disconnect();
    sidecar.program.kill('SIGKILL');
    await Promise.all(redis.map((server) => server.stop()));
    rmSync(dir, { recursive: true, force: true });
  });

  it('is started by its startup probe, and reaches Redis with the password of the file', async () => {
    expect(await app.set('greeting', 'hello')).toBe('OK');
    expect(await app.get('greeting')).toBe('hello');
  });

  it('stays below its memory limit with its cache full and under load', async () => {
    // Reads of more than fits, by many, so that entries come and go: what makes most garbage.
    const load = '-c 50 -P 16 -n 200000 -r 60000 -d 2000 -t set,get -q'.split(' ');
    const run = await runToEnd(['redis-benchmark', '-p', String(sidecar.port), ...load]);
    expect(run.code, run.output).toBe(0);
    const bytes = sidecar.peakBytes ?? 0;
    console.log(`nearcache's peak under load with a full cache: ${Math.round(bytes / 2 ** 20)} MiB`);
    expect(bytes).toBeLessThan(bytesOf(container.resources?.limits?.['memory']));
  });

  it('stays alive by its liveness probe when every Redis has gone', async () => {
    await Promise.all(redis.map((server) => server.kill('SIGKILL')));
    await expect(app.set('greeting', 'hello')).rejects.toThrow();
    for (let i = 0; i < 5; i++) expect(await sidecar.passes(container.livenessProbe)).toBe(true);
    expect(await sidecar.passes(container.startupProbe)).toBe(true);
  });

  it('starts without any Redis, so that an outage does not keep pods from starting', async () => {
    const second = new Sidecar(dir, await freePorts(2), redis);
    await second.started();
    expect(await second.passes(container.livenessProbe)).toBe(true);
    second.program.kill('SIGKILL');
    await second.program.ended;
  });

  it('ends with 0 before the kubelet kills it, once the app has gone', async () => {
    app.disconnect();
    const begin = performance.now();
    sidecar.program.kill('SIGTERM');
    expect(await sidecar.program.ended, sidecar.program.output).toBe(0);
    expect(performance.now() - begin).toBeLessThan(STOP_MS);
  });
});
