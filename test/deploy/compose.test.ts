import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { type ComposeServices, mountsOf, networkOf, readServices } from './compose-file.ts';
import { composeProblems } from './compose-lint.ts';
import { readDockerfile } from './dockerfile.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
const text = read('docker-compose.yml');
const services = readServices(text);
const stages = readDockerfile(read('Dockerfile')).map(({ name }) => name);
const around = { exists: (path: string) => existsSync(`${root}/${path}`), stages };

/** Whoever reads Compose files on this machine: the plugin of docker, the program of its own, or nobody. */
const composer = [['docker', 'compose'], ['docker-compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version']).status === 0,
);
console.log(
  `docker-compose.yml is also read by: ${composer?.join(' ') ?? 'nobody, as no docker-compose is installed'}`,
);

/** Whether that one accepts a file. */
function isAccepted(file: string): boolean {
  const [program = '', ...args] = composer ?? [];
  const flags = ['--project-directory', root, '--file', '-', '--profile', 'drills', 'config', '--quiet'];
  return spawnSync(program, [...args, ...flags], { input: file, cwd: root }).status === 0;
}

/** The file with one thing in it changed. */
function broken(from: string, to: string): string {
  expect(text).toContain(from);
  return text.replace(from, to);
}

interface Mistake {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly problem: string;
  /** What an engine would refuse too, before it starts anything. */
  readonly isRefused?: boolean;
}

const NEARCACHE = '  nearcache:\n    <<: *nearcache\n';

const mistakes: readonly Mistake[] = [
  {
    title: 'an unknown key',
    from: 'init: true',
    to: 'initt: true',
    problem: 'shard0: there is no key initt',
    isRefused: true,
  },
  {
    title: 'a key that old versions refuse',
    from: 'retries: 30',
    to: 'start_interval: 1s',
    problem: 'shard0: healthcheck cannot be',
  },
  {
    title: 'a wrong type',
    from: 'read_only: true',
    to: 'read_only: perhaps',
    problem: 'shard0: read_only cannot be "perhaps"',
    isRefused: true,
  },
  {
    title: 'a wrong condition',
    from: 'sentinel0: { condition: service_healthy }',
    to: 'sentinel0: { condition: service_well }',
    problem: 'nearcache: depends_on cannot be',
    isRefused: true,
  },
  {
    title: 'a dependency on nobody',
    from: 'shard1: { condition: service_healthy }',
    to: 'shard7: { condition: service_healthy }',
    problem: 'sentinel0: depends on shard7, which is not there',
    isRefused: true,
  },
  {
    title: 'a dependency on the health of one without a check',
    from: 'pod: { condition: service_started }',
    to: 'pod: { condition: service_healthy }',
    problem: 'nearcache: waits for pod to be healthy',
  },
  {
    title: 'the network of nobody',
    from: 'service:pod',
    to: 'service:pot',
    problem: 'nearcache: shares the network of pot',
    isRefused: true,
  },
  {
    title: 'ports of a network that another owns',
    from: NEARCACHE,
    to: `${NEARCACHE}    ports: ["127.0.0.1:6379:6379"]\n`,
    problem: 'nearcache: publishes ports',
  },
  {
    title: 'a port that cannot be',
    from: '127.0.0.1:8080:8080',
    to: '127.0.0.1:94000:8080',
    problem: 'pod: "127.0.0.1:94000:8080" is not',
  },
  {
    title: 'a port for the whole network',
    from: '127.0.0.1:9379:9379',
    to: '9379:9379',
    problem: 'pod: "9379:9379" is not',
  },
  {
    title: 'a file that is not there',
    from: './examples/compose/sentinel.conf',
    to: './examples/sentinel.conf',
    problem: 'sentinel0: mounts ./examples/sentinel.conf',
  },
  {
    title: 'a writable mount',
    from: 'nearcache.yaml:ro',
    to: 'nearcache.yaml',
    problem: 'nearcache: ./examples/compose/nearcache.yaml is mounted writable',
  },
  {
    title: 'a stage that is not in the Dockerfile',
    from: 'target: drills',
    to: 'target: drill',
    problem: 'drills: the Dockerfile has no stage drill',
  },
  {
    title: 'an image of no version',
    from: 'image: redis:7.2-alpine',
    to: 'image: redis',
    problem: 'shard0: the image "redis" is not pinned',
  },
  { title: 'root', from: 'user: "65532:65532"', to: 'user: "0:0"', problem: 'nearcache: it may run as root' },
  {
    title: 'capabilities',
    from: 'cap_drop: [ALL]',
    to: 'cap_drop: [CHOWN]',
    problem: 'shard0: it keeps capabilities',
  },
  {
    title: 'a writable root filesystem',
    from: 'read_only: true',
    to: 'read_only: false',
    problem: 'shard0: its root filesystem is writable',
  },
  {
    title: 'a variable of the wrong shell',
    from: '$$shard',
    to: '$shard',
    problem: 'sentinel0: a $ is not doubled',
  },
];

describe('docker-compose.yml', () => {
  it('has no mistake that can be seen', () => {
    expect(composeProblems(services, around)).toEqual([]);
  });

  it.each(mistakes)('would not be merged with $title', ({ from, to, problem }) => {
    const problems = composeProblems(readServices(broken(from, to)), around);
    expect(
      problems.some((each) => each.startsWith(problem)),
      problems.join('\n'),
    ).toBe(true);
  });

  it.skipIf(composer === undefined)('is accepted by docker-compose', () => {
    expect(isAccepted(text)).toBe(true);
    const refused = mistakes.filter(({ isRefused }) => isRefused === true);
    expect(refused.filter(({ from, to }) => isAccepted(broken(from, to))).map(({ title }) => title)).toEqual(
      [],
    );
  });

  it('has three shards with a replica each, and three Sentinels', () => {
    const names = Object.keys(services).filter((name) => /^(shard|sentinel)/.test(name));
    expect(names.toSorted()).toEqual(
      [0, 1, 2].flatMap((i) => [`sentinel${i}`, `shard${i}`, `shard${i}-replica`]).toSorted(),
    );
  });

  it('gives the app and nearcache one network, and tells the app nothing of Redis', () => {
    expect(networkOf('app', services)).toBe('pod');
    expect(networkOf('nearcache', services)).toBe('pod');
    expect(services['app']?.environment).toBeUndefined();
    expect(read('examples/app/main.mjs')).toContain("?? 'redis://localhost:6379'");
  });

  it('starts the drills only when they are asked for', () => {
    expect(services['drills']?.profiles).toEqual(['drills']);
  });
});

describe('nearcache in docker-compose.yml', () => {
  const loaded = loadConfig([], services['nearcache']?.environment ?? {}, (path) =>
    mounted('nearcache', path, services),
  );
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  const { config } = loaded;

  it('listens where the app looks, on loopback only, as by default', () => {
    expect(config.listenGiven).toBe(false);
    expect(config.listen).toContainEqual({ kind: 'tcp', host: '127.0.0.1', port: 6379 });
  });

  it('can be asked for its health through the published port', () => {
    expect(config.admin).toEqual({ host: '::', port: 9379 });
    expect(services['pod']?.ports).toContain('127.0.0.1:9379:9379');
  });

  it('is given more time to stop than it takes at most', () => {
    const grace = Number(/^(\d+)s$/.exec(services['nearcache']?.stop_grace_period ?? '')?.[1]) * 1000;
    expect(config.drainMs).toBeLessThan(grace);
  });

  it('has a ring of the shards that the Sentinels look after', () => {
    const sentinels = ['sentinel0', 'sentinel1', 'sentinel2'].map((host) => ({ host, port: 26_379 }));
    const shards = config.upstream.kind === 'ring' ? config.upstream.shards : [];
    const masters = ['shard0', 'shard1', 'shard2'];
    expect(shards.map(({ source }) => source)).toEqual(
      masters.map((master) => ({ kind: 'sentinel', sentinels, master })),
    );
    const monitored = [
      ...read('examples/compose/sentinel.conf').matchAll(/^sentinel monitor (\S+) (\S+) 6379 2$/gm),
    ];
    expect(monitored.map(([, name, host]) => [name, host])).toEqual(masters.map((name) => [name, name]));
  });
});

/** What a service finds at a path. */
function mounted(name: string, path: string, all: ComposeServices): string {
  const mount = mountsOf(all[name] ?? {}).find(({ target }) => target === path);
  if (mount === undefined) throw new Error(`${name} mounts nothing at ${path}`);
  return read(mount.host);
}
