import { describe, expect, test } from 'vitest';
import type { Config, RingConfig } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';

interface Input {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

function load({ argv = [], env = {}, file }: Input): ReturnType<typeof loadConfig> {
  return loadConfig(file === undefined ? argv : [...argv, '--config=c'], env, () => file ?? '');
}

function configOf(input: Input): Config {
  const loaded = load(input);
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

function ringOf(input: Input): RingConfig {
  const { upstream } = configOf(input);
  if (upstream.kind !== 'ring') throw new Error(`a ${upstream.kind}`);
  return upstream;
}

function problemsOf(input: Input): readonly string[] {
  const loaded = load(input);
  return 'problems' in loaded ? loaded.problems : [];
}

/** A whole ring of the file. */
function ringFile(shards: string, others = ''): string {
  return `ring: { ${others} shards: [${shards}] }`;
}

describe('the shards of --upstream', () => {
  test('have names of their own, else those that twemproxy would give them', () => {
    const urls =
      'redis://h1,redis://h1:7,redis://h2:1?name=mine,redis+sentinel://s1,s2/watched,redis://[::1]:2,redis://h:11211';
    expect(ringOf({ argv: ['--upstream', urls] }).shards.map(({ name }) => name)).toEqual([
      'h1:6379',
      'h1:7',
      'mine',
      'watched',
      '::1:2',
      'h',
    ]);
  });

  test.each([
    ['redis://h', 'shard0'],
    ['redis+sentinel://s/m', 'shard0'],
    ['redis://h?name=mine', 'mine'],
  ])('when there is only %s: it is called %s', (url, name) => {
    expect(ringOf({ argv: ['--upstream', url] }).shards).toMatchObject([{ name }]);
  });

  test('have weights and replicas', () => {
    const argv = ['--upstream', 'redis://a,redis://b?weight=1000&replica=r1&replica=r2:7'];
    expect(ringOf({ argv }).shards).toMatchObject([
      { weight: 1, replicas: [] },
      {
        weight: 1000,
        replicas: [
          { host: 'r1', port: 6379 },
          { host: 'r2', port: 7 },
        ],
      },
    ]);
  });

  test('add up over flags, and may be a list in the file', () => {
    const hostsOf = (input: Input): readonly string[] => ringOf(input).shards.map(({ name }) => name);
    const file = 'upstream: [redis://c, "redis+sentinel://s1,s2/m"]';
    expect(hostsOf({ file })).toEqual(['c:6379', 'm']);
    expect(hostsOf({ argv: ['--upstream=redis://a', '--upstream', 'redis://b'], file })).toEqual([
      'a:6379',
      'b:6379',
    ]);
  });

  test('are frozen, each of them', () => {
    const ring = ringOf({ argv: ['--upstream', 'redis://a,redis://b?replica=r'] });
    const [, shard] = ring.shards;
    const parts = [ring, ring.shards, shard, shard?.source, shard?.replicas, shard?.replicas[0]];
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
  });

  test('may be 1024 and no more', () => {
    const list = (length: number): string =>
      Array.from({ length }, (_, number) => `redis://h${number}`).join();
    expect(ringOf({ argv: ['--upstream', list(1024)] }).shards).toHaveLength(1024);
    expect(problemsOf({ argv: ['--upstream', list(1025)] })).toEqual([
      '--upstream: 1025 shards; accepted: up to 1024 shards',
    ]);
  });

  test('are refused with all their mistakes at once, by their place in the list', () => {
    const replicas = Array.from({ length: 65 }, (_, number) => `replica=r${number}`).join('&');
    const urls = [
      'redis://u:hunter2@a:x',
      'redis://b?weight=0&name=%20',
      'redis://c?weight=1001',
      'redis+cluster://d',
      `redis://e?${replicas}`,
      'redis://f?replica=r:0',
      'redis://f?name=other',
      'redis://g,redis://h:8?name=g:6379',
    ];
    expect(problemsOf({ argv: ['--upstream', urls.join(), '--max-clients=0'] })).toEqual([
      expect.stringMatching(/^--upstream: shard 1: not a valid URL .*; accepted: redis:\/\//),
      expect.stringMatching(/^--upstream: shard 2: name is not accepted; accepted: a text of 1 to 128/),
      '--upstream: shard 2: weight is not accepted; accepted: a whole number from 1 to 1000',
      '--upstream: shard 3: weight is not accepted; accepted: a whole number from 1 to 1000',
      expect.stringMatching(/^--upstream: shard 4: a Cluster is no shard of a ring/),
      expect.stringMatching(
        /^--upstream: shard 5: replicas has 65 addresses, more than 64; accepted: up to 64/,
      ),
      expect.stringMatching(/^--upstream: shard 6: replicas port 0 is not a port/),
      expect.stringMatching(
        /^--upstream: shards 8 and 9 have the same name; accepted: a name of its own for each/,
      ),
      expect.stringMatching(/^--max-clients/),
    ]);
  });

  test.each([
    ['redis://a?name=x,redis://a:6379?name=y', 'shards 1 and 2 are the same Redis'],
    ['redis+sentinel://s,t/m?name=x,redis+sentinel://t,s/m?name=y', 'shards 1 and 2 are the same Redis'],
  ])('%s is refused: it would be counted twice', (urls, expected) => {
    expect(problemsOf({ argv: ['--upstream', urls] })).toEqual([expect.stringContaining(expected)]);
  });

  test('of the same Sentinels are distinct by their masters', () => {
    const argv = ['--upstream', 'redis+sentinel://s/a,redis+sentinel://s/b'];
    expect(ringOf({ argv }).shards.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

test('a Cluster stands alone, whatever the order', () => {
  expect(configOf({ argv: ['--upstream', 'redis+cluster://a,b'] }).upstream).toEqual({
    kind: 'cluster',
    seeds: [
      { host: 'a', port: 6379 },
      { host: 'b', port: 6379 },
    ],
    tls: false,
  });
  expect(problemsOf({ argv: ['--upstream', 'redis+cluster://a,redis+cluster://b'] })).toEqual([
    expect.stringMatching(/shard 1: a Cluster is no shard/),
    expect.stringMatching(/shard 2: a Cluster is no shard/),
  ]);
});

describe('the ring of the file', () => {
  const shards =
    '{ name: a, url: "redis://h1", weight: 3, replicas: ["r:1"] }, { url: "redis://h2?weight=2" }';

  test('says the shards and how keys are placed over them', () => {
    expect(ringOf({ file: ringFile(shards, 'distribution: modula, hash: md5, hashTag: "$$",') })).toEqual({
      kind: 'ring',
      distribution: 'modula',
      hash: 'md5',
      hashTag: '$$',
      shards: [
        {
          name: 'a',
          weight: 3,
          source: { kind: 'address', host: 'h1', port: 6379 },
          tls: false,
          replicas: [{ host: 'r', port: 1 }],
        },
        {
          name: 'h2:6379',
          weight: 2,
          source: { kind: 'address', host: 'h2', port: 6379 },
          tls: false,
          replicas: [],
        },
      ],
    });
  });

  test('places keys as twemproxy does by default', () => {
    const placing = { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '{}' };
    expect(ringOf({ file: ringFile(shards) })).toMatchObject(placing);
    expect(ringOf({ argv: ['--upstream=redis://a,redis://b'] })).toMatchObject(placing);
  });

  test('gives way to an --upstream flag or variable as a whole', () => {
    const file = ringFile(shards, 'hash: md5,');
    const others = { hash: 'fnv1a_64', shards: [{ name: 'shard0' }] };
    expect(ringOf({ argv: ['--upstream=redis://x'], file })).toMatchObject(others);
    expect(ringOf({ env: { NEARCACHE_UPSTREAM: 'redis://x' }, file })).toMatchObject(others);
    expect(problemsOf({ argv: ['--upstream=redis://x'], file: 'ring: nonsense' })).toEqual([]);
  });

  test('gives way part by part to flags and variables of how keys are placed', () => {
    const file = ringFile(shards, 'hash: md5, distribution: modula, hashTag: "{}",');
    const env = { NEARCACHE_RING_HASH: 'murmur', NEARCACHE_RING_HASH_TAG: 'off' };
    expect(ringOf({ argv: ['--ring-hash=hsieh'], env, file })).toMatchObject({
      hash: 'hsieh',
      distribution: 'modula',
      hashTag: '',
    });
  });

  test('is refused with all its mistakes at once, and without a secret', () => {
    const file = `
ring:
  hash: md6
  hashTag: {}
  shard: 1
  shards:
    - { name: "a b", url: "redis://u:hunter2@h:x", weight: 0.5, replicas: redis://u:hunter2@r }
    - { nam: 1, url: 7 }
    - { name: 8 }
    - hunter2
    - { url: "redis+cluster://:hunter2@a" }
    - { url: "redis://h?name=y", name: x }
    - { url: "redis://h1,redis://h2" }
    - { url: "redis://i", name: x }
    - { url: "redis://j", name: x }
`;
    const problems = problemsOf({ file });
    expect(problems).toEqual([
      expect.stringMatching(/^ring in c: hash "md6" is not accepted; accepted: one of one_at_a_time, md5,/),
      expect.stringMatching(/^ring in c: hashTag \{\} is not accepted; accepted: two visible ASCII.*quoted/),
      'ring in c: no such part as shard; did you mean shards?; accepted: distribution, hash, hashTag, shards, next',
      expect.stringMatching(/^ring in c: shard 1: not a valid URL/),
      expect.stringMatching(/^ring in c: shard 1: name is not accepted/),
      expect.stringMatching(/^ring in c: shard 1: weight is not accepted/),
      expect.stringMatching(/^ring in c: shard 1: replicas is not accepted; accepted: up to 64/),
      expect.stringMatching(/^ring in c: shard 2: url is not accepted; accepted: redis:/),
      expect.stringMatching(/^ring in c: shard 2: no such part as nam; did you mean name\?/),
      expect.stringMatching(/^ring in c: shard 3: needs a url; accepted: redis:/),
      expect.stringMatching(/^ring in c: shard 3: name is not accepted; .*quoted, if all digits/),
      'ring in c: shard 4: is not a map of its parts; accepted: name, url, weight, replicas',
      expect.stringMatching(/^ring in c: shard 5: a Cluster is no shard of a ring/),
      'ring in c: shard 6: name is in the URL and beside it; accepted: each part once',
      expect.stringMatching(
        /^ring in c: shard 7: has several hosts: each shard of a ring has a URL of its own/,
      ),
      expect.stringMatching(/^ring in c: shards 6 and 8 have the same name/),
      expect.stringMatching(/^ring in c: shards 6 and 9 have the same name/),
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test.each([
    [
      'nonsense',
      /^ring in c: is not a map of its parts; accepted: a map of distribution, hash, hashTag, shards, next$/,
    ],
    ['{ hash: md5 }', /^ring in c: needs a shards; accepted: a list of 1 to 1024 maps/],
    ['{ shards: [] }', /^ring in c: shards is not accepted; accepted: a list of 1 to 1024 maps/],
    ['{ shards: { url: "redis://h" } }', /^ring in c: shards is not accepted/],
    ['&all { shards: [*all] }', /^ring in c: .*needs a url/],
  ])('%s is none', (ring, expected) => {
    expect(problemsOf({ file: `ring: ${ring}` })[0]).toMatch(expected);
  });

  test('is a key of the file alone', () => {
    expect(problemsOf({ argv: ['--ring=x'], env: { NEARCACHE_RING: 'x' } })).toEqual([
      expect.stringMatching(/^--ring: no such flag/),
      expect.stringMatching(/^NEARCACHE_RING: no such variable/),
    ]);
  });
});

describe('credentials', () => {
  test('of the options are for all shards that have none of their own', () => {
    const argv = ['--upstream', 'redis://a,redis://b:pw@b,redis://c@c,redis://:pw@d'];
    const credentialsOf = (input: Input): readonly unknown[] =>
      ringOf(input).shards.map(({ user, password }) => [user, password]);
    expect(credentialsOf({ argv: [...argv, '--upstream-user=u', '--upstream-password=x'] })).toEqual([
      ['u', 'x'],
      ['b', 'pw'],
      ['c', 'x'],
      ['u', 'pw'],
    ]);
  });

  test('of the options are for a Cluster too', () => {
    const argv = ['--upstream=redis+cluster://u@h', '--upstream-user=x', '--upstream-password=x'];
    expect(problemsOf({ argv })).toEqual(['--upstream-user: has no effect: every URL has a user of its own']);
    expect(configOf({ argv: argv.toSpliced(1, 1) }).upstream).toMatchObject({ user: 'u', password: 'x' });
  });
});

describe('settings that do not go together', () => {
  const CLUSTER = '--upstream=redis+cluster://h';
  test.each([
    [
      ['--upstream=redis://:a@b', '--upstream-password=x'],
      '--upstream-password: has no effect: every URL has a',
    ],
    [
      ['--upstream=redis://:a@b', '--upstream-password-file=f'],
      '--upstream-password-file: has no effect: every',
    ],
    [
      ['--upstream=redis://a,redis://b', '--upstream-tls-ca=f'],
      '--upstream-tls-ca: has no effect beside a redis:',
    ],
    [[CLUSTER, '--ring-hash=md5'], '--ring-hash: has no effect beside a Cluster'],
    [[CLUSTER, '--ring-distribution=ketama'], '--ring-distribution: has no effect beside a Cluster'],
    [[CLUSTER, '--ring-hash-tag=off'], '--ring-hash-tag: has no effect beside a Cluster'],
    [[CLUSTER, '--topology-refresh=1s'], '--topology-refresh: must be under --topology-max-age, which is'],
    [[CLUSTER, '--topology-max-age=250ms'], 'topologyRefreshMs: must be under --topology-max-age'],
    [['--read-preference=replica'], '--read-preference: no shard has replicas to read from'],
    [
      ['--policy=prefix=a;readPreference=nearest'],
      '--policy: a policy has a readPreference, but no shard has',
    ],
    [['--cluster-announce=a:1'], '--cluster-announce: is of no use without --cluster-emulation'],
    [
      ['--invalidation-hold-off=100ms'],
      '--invalidation-hold-off: is of no use without --invalidation-channel',
    ],
  ])('%s is refused', (argv, expected) => {
    expect(problemsOf({ argv })).toEqual([expect.stringContaining(expected)]);
  });

  test.each([
    [[CLUSTER, '--cluster-emulation', '--cluster-announce=a:1', '--read-preference=replica']],
    [[CLUSTER, '--topology-refresh=1s', '--topology-max-age=2s']],
    [['--topology-refresh=1s']],
    [['--upstream=redis+sentinel://s/m', '--policy=prefix=a;readPreference=nearest']],
    [['--upstream=redis://a?replica=b', '--read-preference=nearest']],
    [['--upstream=redis://a,rediss://b', '--upstream-tls-ca=f']],
    [['--upstream=redis://:a@b,redis://c', '--upstream-password-file=f']],
    [['--invalidation-hold-off=0', '--invalidation-channel=nearcache:invalidate']],
  ])('%s is fine', (argv) => {
    expect(problemsOf({ argv })).toEqual([]);
  });

  test('one file says the ring once', () => {
    const file = `upstream: redis://a\nringHash: md5\n${ringFile('{ url: "redis://h" }')}`;
    expect(problemsOf({ file })).toEqual([
      'ring in c: give either ring or upstream, not both',
      'ringHash in c: belongs into the ring of the same file',
    ]);
    expect(problemsOf({ argv: ['--upstream=redis://x'], file })).toEqual([]);
  });
});

describe('topology and invalidations', () => {
  test('have the documented defaults', () => {
    expect(configOf({})).toMatchObject({
      topologyRefreshMs: 250,
      topologyMaxAgeMs: 1000,
      redirectsMax: 5,
      readPreference: 'primary',
      clusterEmulation: false,
      clusterAnnounce: undefined,
      invalidationSource: 'tracking',
      invalidationChannel: undefined,
      invalidationHoldOffMs: 100,
    });
  });

  test('can all be set, the age of the topology being the staleness unless it is set itself', () => {
    const text =
      '--max-staleness=2s --topology-refresh=50ms --redirects-max=0 --read-preference=nearest --cluster-emulation ' +
      '--cluster-announce=[::1]:7 --invalidation-source=keyspace --invalidation-channel=ch --invalidation-hold-off=1s';
    const argv = ['--upstream=redis+cluster://h', ...text.split(' ')];
    const expected = {
      topologyRefreshMs: 50,
      topologyMaxAgeMs: 2000,
      redirectsMax: 0,
      readPreference: 'nearest',
      clusterEmulation: true,
      clusterAnnounce: { host: '::1', port: 7 },
      invalidationSource: 'keyspace',
      invalidationChannel: 'ch',
      invalidationHoldOffMs: 1000,
    };
    expect(configOf({ argv })).toMatchObject(expected);
    expect(configOf({ argv: [...argv, '--topology-max-age=300ms'] }).topologyMaxAgeMs).toBe(300);
  });

  test.each(['off', '""'])('the channel is none when it is %s', (text) => {
    expect(configOf({ file: `invalidationChannel: ${text}` }).invalidationChannel).toBeUndefined();
  });

  test.each([
    ['--cluster-announce=host', /"host" is not an address; accepted: host:port, \[IPv6\]:port or auto/],
    ['--cluster-announce=h:0', /port 0/],
    [`--invalidation-channel=${'x'.repeat(1025)}`, /a name of 1025 bytes/],
    ['--ring-hash-tag={', /"\{" is not accepted; accepted: two visible ASCII characters/],
    ['--ring-hash-tag=«»', /is not accepted/],
    ['--ring-distribution=random', /one of ketama, modula/],
    ['--invalidation-source=none', /one of tracking, keyspace, ttl/],
  ])('%s is refused', (flag, expected) => {
    expect(problemsOf({ argv: [flag] })).toEqual([expect.stringMatching(expected)]);
  });
});
