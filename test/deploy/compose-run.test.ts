import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { say } from '../support/sidecar.ts';
import { readServices } from './compose-file.ts';
import { readDockerfile, startOf } from './dockerfile.ts';
import { LocalStack } from './local-stack.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const services = readServices(readFileSync(`${root}/docker-compose.yml`, 'utf8'));
const imageStart = startOf(readDockerfile(readFileSync(`${root}/Dockerfile`, 'utf8')), 'nearcache');
const started = Object.keys(services).filter((name) => services[name]?.profiles === undefined);
const checked = started.filter((name) => services[name]?.healthcheck !== undefined);

/** What there is one of in a container, and many of on this machine. */
function env(stack: LocalStack, name: string): Readonly<Record<string, string>> {
  const [redis, http, admin] = [stack.port(name, 6379), stack.port(name, 8080), stack.port(name, 9379)];
  if (name === 'app')
    return { REDIS_URL: `redis://localhost:${redis}`, HOST: '127.0.0.1', PORT: String(http) };
  if (name !== 'nearcache') return {};
  return { NEARCACHE_LISTEN: `127.0.0.1:${redis}`, NEARCACHE_ADMIN: `127.0.0.1:${admin}` };
}

describe('the services of docker-compose.yml, as programs of this machine', { timeout: 180_000 }, () => {
  let stack: LocalStack;
  let client: RawClient;

  beforeAll(async () => {
    stack = await LocalStack.make({ services, root, imageStart, env });
  });

  afterAll(() => stack.stop());

  it.each(checked)('does not take %s to be healthy before it runs', async (name) => {
    expect((await stack.check(name)).code).not.toBe(0);
  });

  it('starts all of them in the order that they ask for, and each gets healthy by its own check', async () => {
    await Promise.all(started.map((name) => stack.start(name)));
    await Promise.all(checked.map((name) => stack.healthy(name)));
    expect(started.filter((name) => stack.program(name).hasEnded)).toEqual([]);
    client = await connectRaw({ port: stack.port('nearcache', 6379) });
  });

  it('answers the app from the database once, and then from Redis, as nearcache has it in memory', async () => {
    expect(await product(1)).toMatchObject({ name: 'Product 1', from: 'database' });
    await eventually('the near-cache has a hit', async () => {
      expect(await product(1)).toMatchObject({ from: 'redis' });
      const metrics = await (await fetch(`http://127.0.0.1:${stack.port('nearcache', 9379)}/metrics`)).text();
      return Number(/^nearcache_cache_hits_total\S* (\d+)/m.exec(metrics)?.[1] ?? 0) > 0 ? true : undefined;
    });
  });

  it('divides the keys over the three shards, and each replica follows its own', async () => {
    for (let i = 0; i < 60; i++) expect(await say(client, 'SET', `key:${i}`, 'value')).toBe('+OK');
    for (const shard of ['shard0', 'shard1', 'shard2']) {
      expect(await keysAt(shard)).toBeGreaterThan(0);
      expect(await keysAt(shard)).toBeLessThan(60);
      await eventually('the replica has as many', async () =>
        (await keysAt(`${shard}-replica`)) === (await keysAt(shard)) ? true : undefined,
      );
    }
  });

  it('goes on with the replica when a shard is stopped, and its health check tells', async () => {
    stack.program('shard1').kill('SIGTERM');
    await stack.program('shard1').ended;
    expect((await stack.check('shard1')).code).not.toBe(0);
    await eventually(
      'keys of all shards are written again',
      async () => {
        for (let i = 0; i < 60; i++) {
          if ((await say(client, 'SET', `key:${i}`, 'after')) !== '+OK') return undefined;
        }
        return true;
      },
      60_000,
    );
    await stack.healthy('shard1-replica');
  });

  it('stops nearcache within its grace period, though the app is connected', async () => {
    const grace = Number.parseInt(services['nearcache']?.stop_grace_period ?? '', 10) * 1000;
    const begin = performance.now();
    client.close();
    stack.program('nearcache').kill('SIGTERM');
    expect(await stack.program('nearcache').ended, stack.program('nearcache').output).toBe(0);
    expect(performance.now() - begin).toBeLessThan(grace);
    expect((await stack.check('nearcache')).code).not.toBe(0);
  });

  it('has drills to run', async () => {
    await stack.start('drills');
    const { ended } = stack.program('drills');
    expect(await ended, stack.program('drills').output).toBe(0);
    expect(stack.program('drills').output).toContain('stop');
  });

  it('keeps the app healthy without Redis, and stops it with 0', async () => {
    expect((await stack.check('app')).code).toBe(0);
    expect(await product(2)).toMatchObject({ from: 'database' });
    stack.program('app').kill('SIGTERM');
    expect(await stack.program('app').ended).toBe(0);
  });

  async function product(id: number): Promise<unknown> {
    return (await fetch(`http://127.0.0.1:${stack.port('app', 8080)}/products/${id}`)).json();
  }

  async function keysAt(name: string): Promise<number> {
    const direct = await connectRaw({ port: stack.port(name, 6379) });
    const size = Number((await say(direct, 'DBSIZE')).slice(1));
    direct.close();
    return size;
  }
});
