import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { eventually } from '../../src/drill/servers/eventually.ts';
import { freePort } from '../../src/drill/servers/free-port.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { connectRaw } from '../support/raw-client.ts';
import { say } from '../support/sidecar.ts';
import { isIgnored, readDockerfile, startOf } from './dockerfile.ts';
import { buildStage, makeReadOnly, makeWritable } from './image-build.ts';
import { runToEnd, startLocal } from './local-program.ts';

const source = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(source, 'Dockerfile'), 'utf8');
const ignore = readFileSync(join(source, '.dockerignore'), 'utf8');
const stages = readDockerfile(text);
const { version, engines } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
};

describe('the Dockerfile', () => {
  it('stands on a Node that is named by major and minor, and new enough', () => {
    const bases = new Set(stages.map(({ from }) => from).filter((from) => from.includes(':')));
    const [, major] = /^node:(\d+)\.\d+-slim$/.exec([...bases].join()) ?? [];
    expect(Number(major)).toBeGreaterThanOrEqual(Number(engines.node.replace('>=', '')));
  });

  it('makes nearcache when no target is named', () => {
    expect(stages.at(-1)?.name).toBe('nearcache');
  });

  it.each(['nearcache', 'drills'])('runs %s as a user that Kubernetes can see is not root', (name) => {
    expect(startOf(stages, name).user).toBe('65532:65532');
  });

  it('has a health check that asks nearcache itself', () => {
    expect(startOf(stages, 'nearcache')).toMatchObject({
      entrypoint: ['node', 'dist/main.js'],
      command: ['serve'],
      healthcheck: ['node', 'dist/main.js', 'healthcheck'],
    });
  });

  it('leaves out of the build what it does not copy', () => {
    const all = readdirSync(source).filter((name) => !isIgnored(ignore, name));
    const copied = stages
      .flatMap(({ instructions }) => instructions.filter(({ word }) => word === 'COPY'))
      .filter(({ rest }) => !rest.startsWith('--from'))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    expect(all.toSorted()).toEqual([...new Set(copied)].toSorted());
  });
});

describe('what the Dockerfile builds, with no more than its own dependencies', () => {
  let target: string;
  let app: string;
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedis();
    target = mkdtempSync(join(tmpdir(), 'nearcache-image-'));
    chmodSync(target, 0o755);
    app = join(
      buildStage({ source, stages, ignore, target }, 'nearcache'),
      startOf(stages, 'nearcache').workdir,
    );
    makeReadOnly(app);
  }, 180_000);

  afterAll(async () => {
    await redis.stop();
    makeWritable(target);
    rmSync(target, { recursive: true, force: true });
  });

  /** The user of the image, where this process may become it and it may run Node. */
  function user(): { uid?: number; gid?: number } {
    const ids = { uid: 65532, gid: 65532 };
    return spawnSync(process.execPath, ['--version'], ids).status === 0 ? ids : {};
  }

  it('says its version', async () => {
    const { entrypoint } = startOf(stages, 'nearcache');
    const run = await runToEnd([...entrypoint, '--version'], { cwd: app, ...user() });
    expect(run).toEqual({ code: 0, output: `${version}\n` });
  });

  it('holds neither sources nor development tools', () => {
    expect(readdirSync(app).toSorted()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
    expect(
      ['typescript', 'vitest', 'testcontainers'].filter((name) =>
        existsSync(join(app, 'node_modules', name)),
      ),
    ).toEqual([]);
    expect(statSync(join(app, 'node_modules')).isDirectory()).toBe(true);
  });

  it('serves, is healthy, and ends with 0 on SIGTERM, without writing anything', {
    timeout: 60_000,
  }, async () => {
    const { entrypoint, command, healthcheck } = startOf(stages, 'nearcache');
    const [port, admin] = [await freePort(), await freePort()];
    const env = {
      NEARCACHE_UPSTREAM: redis.url,
      NEARCACHE_LISTEN: `127.0.0.1:${port}`,
      NEARCACHE_ADMIN: `127.0.0.1:${admin}`,
    };
    const place = { cwd: app, env, ...user() };
    expect(await runToEnd(healthcheck, place)).toMatchObject({ code: 1 });
    const program = startLocal([...entrypoint, ...command], place);
    await eventually('it is healthy', async () =>
      (await runToEnd(healthcheck, place)).code === 0 ? true : undefined,
    );
    const client = await eventually('it listens', () => connectRaw({ port }));
    expect(await say(client, 'SET', 'greeting', 'hello')).toBe('+OK');
    expect(await say(client, 'GET', 'greeting')).toBe('hello');
    client.close();
    program.kill('SIGTERM');
    expect(await program.ended, program.output).toBe(0);
  });
});
