import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';

interface Input {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

function load({ argv = [], env = {}, files = {} }: Input): ReturnType<typeof loadConfig> {
  return loadConfig(argv, env, (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
    return text;
  });
}

function configOf(input: Input): Config {
  const loaded = load(input);
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

function problemsOf(input: Input): readonly string[] {
  const loaded = load(input);
  return 'problems' in loaded ? loaded.problems : [];
}

describe('defaults', () => {
  test('nothing given yields the documented defaults', () => {
    expect(configOf({})).toMatchObject({
      listen: [
        { kind: 'tcp', host: '127.0.0.1', port: 6379 },
        { kind: 'tcp', host: '::1', port: 6379 },
      ],
      listenGiven: false,
      upstream: {
        kind: 'ring',
        shards: [
          {
            name: 'shard0',
            source: { kind: 'address', host: '127.0.0.1', port: 6380 },
            weight: 1,
            tls: false,
          },
        ],
      },
      admin: { host: '127.0.0.1', port: 9379 },
      cacheBytes: 64 * 1024 * 1024,
      maxStalenessMs: 1000,
      staleIfErrorMs: 30_000,
      requireAuth: false,
      logLevel: 'info',
      eviction: 's3fifo',
      expectedEntryBytes: 128,
      maxItemKeyBytes: 4096,
      cachesMultiKey: false,
      cachesSort: false,
      cacheTtlJitterPercent: 10,
      cacheSoftTtlPercent: 80,
      cacheReread: 'on',
      staleWhileRevalidateMs: 0,
      canaryMs: 5000,
      canaryKey: 'nearcache:canary',
      touchRate: 0,
      followersMax: 10_000,
    });
  });

  test('the configuration is frozen, its parts too', () => {
    const config = configOf({});
    const { listen, upstream, admin, policies } = config;
    const parts = [config, listen, listen[0], upstream, admin, policies.all, policies.all[0]];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });
});

describe('precedence', () => {
  const files = { 'nc.yaml': 'cacheBytes: 1mb\nlogLevel: debug\ndrainMs: 3\n' };

  test('a flag beats a variable, which beats the file', () => {
    const config = configOf({
      argv: ['--config', 'nc.yaml', '--cache-size=3mb'],
      env: { NEARCACHE_CACHE_SIZE: '2mb', NEARCACHE_LOG_LEVEL: 'warn' },
      files,
    });
    expect([config.cacheBytes, config.logLevel, config.drainMs]).toEqual([3_145_728, 'warn', 3]);
  });

  test('the file can be named by a variable', () => {
    expect(configOf({ env: { NEARCACHE_CONFIG: 'nc.yaml' }, files }).cacheBytes).toBe(1_048_576);
  });

  test('an empty variable counts as not set', () => {
    expect(configOf({ env: { NEARCACHE_CACHE_SIZE: '' } }).cacheBytes).toBe(67_108_864);
  });

  test('the last of two equal flags counts, while a list flag adds up', () => {
    const argv = ['--max-clients=1', '--max-clients=2', '--listen', 'a:1', '--listen', 'unix:/b,[::1]:2'];
    const config = configOf({ argv });
    expect(config.clientsMax).toBe(2);
    expect(config.listenGiven).toBe(true);
    expect(config.listen).toEqual([
      { kind: 'tcp', host: 'a', port: 1 },
      { kind: 'unix', path: '/b' },
      { kind: 'tcp', host: '::1', port: 2 },
    ]);
  });

  test('the file may hold lists, numbers and booleans', () => {
    const text = 'listen: [127.0.0.1:1, "unix:/x"]\nrequireAuth: true\ncacheBytes: 1048577\nadmin: off\n';
    const config = configOf({ argv: ['--config=c'], files: { c: text } });
    expect([config.listen.length, config.requireAuth, config.cacheBytes, config.admin]).toEqual([
      2,
      true,
      1_048_577,
      undefined,
    ]);
  });

  test.each([
    [['--require-auth'], true],
    [['--require-auth=off'], false],
    [['--require-auth=true'], true],
  ])('%s sets requireAuth to %s', (argv, expected) => {
    expect(configOf({ argv, env: { NEARCACHE_REQUIRE_AUTH: 'true' } }).requireAuth).toBe(expected);
  });
});

describe('credentials', () => {
  test('that the URL does not have are those of the options', () => {
    const argv = ['--upstream', 'redis://a@h', '--upstream-user', 'b', '--upstream', 'redis://g'];
    expect(configOf({ argv: [...argv, '--upstream-password', 'secret'] }).upstream).toMatchObject({
      shards: [
        { user: 'a', password: 'secret' },
        { user: 'b', password: 'secret' },
      ],
    });
  });

  test('no problem ever quotes a secret', () => {
    const problems = problemsOf({
      argv: ['--upstream', 'http://u:hunter2@h'],
      env: { NEARCACHE_UPSTREAM_PASSWORD_FILE: '/missing' },
      files: { c: 'upstreamPassword: 12345678\n' },
    });
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  test('a bare number is refused as a password without being quoted', () => {
    const problems = problemsOf({ argv: ['--config=c'], files: { c: 'upstreamPassword: 0123\n' } });
    expect(problems).toEqual([expect.stringMatching(/^upstreamPassword in c: .*quoted/)]);
    expect(problems[0]).not.toContain('123');
  });
});

describe('mistakes', () => {
  test('all of them are listed at once, each with its place and the accepted form', () => {
    const problems = problemsOf({
      argv: [
        'stray',
        '--cach-sise=1',
        '--max-staleness',
        '--max-clients',
        '0',
        '--config',
        'c',
        '--tls-ca=/no',
      ],
      env: { NEARCACHE_LOG_LEVL: 'info', NEARCACHE_LOG_LEVEL: 'loud' },
      files: { c: 'cacheSize: 1mb\nlisten: nonsense\nring: {}\nrings: 1\n' },
    });
    expect(problems).toEqual([
      'stray: not a flag; flags start with --',
      '--cach-sise: no such flag; did you mean --cache-size?',
      '--max-staleness: needs a value',
      'NEARCACHE_LOG_LEVL: no such variable; did you mean NEARCACHE_LOG_LEVEL?',
      'cacheSize in c: no such key; did you mean cacheBytes?',
      'rings in c: no such key; did you mean ring?',
      expect.stringMatching(/^listen in c: "nonsense" is not an address; accepted: host:port/),
      expect.stringMatching(/^ring in c: needs a shards; accepted: a list of 1 to 1024 maps/),
      'NEARCACHE_LOG_LEVEL: "loud" is not accepted; accepted: one of fatal, error, warn, info, debug, trace, silent',
      '--max-clients: "0" is not accepted; accepted: a whole number from 1 to 1000000',
      '--tls-ca: is of no use without --tls-cert',
      expect.stringMatching(/^--tls-ca: cannot read \/no: ENOENT/),
    ]);
    expect(problems.every((problem) => !problem.includes('\n'))).toBe(true);
  });

  test.each([
    ['--cache-size=64xb', /a size from 0 to 32gb/],
    ['--cache-size=33gb', /a size from 0 to 32gb/],
    ['--cache-size=-1', /a size from 0 to 32gb/],
    ['--max-staleness=99ms', /a time from 100ms to 1m/],
    ['--cache-ttl-jitter=51', /a percentage from 0 to 50/],
    ['--cache-soft-ttl=0.5', /a percentage from 1 to 100/],
    ['--eviction=lfu', /one of s3fifo, tinylfu, fifo, clock, lru/],
    ['--canary-key= ', /a text of 1 to 256 bytes/],
    [`--canary-key=${'ü'.repeat(129)}`, /a text of 1 to 256 bytes/],
    ['--max-args=1e9', /a whole number/],
    ['--require-auth=maybe', /true or false/],
    ['--foo=1', /see --help/],
  ])('%s is refused', (flag, expected) => {
    expect(problemsOf({ argv: [flag] })).toEqual([expect.stringMatching(expected)]);
  });

  test('a file that is not YAML, not a mapping or not there is one clear line', () => {
    const argv = ['--config=c'];
    expect(problemsOf({ argv, files: { c: 'a: [1\nb' } })[0]).toMatch(/^c: .* at line \d/);
    expect(problemsOf({ argv, files: { c: '- a\n' } })).toEqual(['c: must hold "key: value" lines']);
    expect(problemsOf({ argv })).toEqual([expect.stringMatching(/^--config: cannot read c: ENOENT/)]);
  });

  test('an empty file is a file without settings', () => {
    expect(configOf({ argv: ['--config=c'], files: { c: '# nothing yet\n' } }).listenGiven).toBe(false);
  });

  test("variables that Kubernetes makes for a Service called nearcache are nobody's mistake", () => {
    const env = {
      NEARCACHE_SERVICE_HOST: '10.0.0.1',
      NEARCACHE_SERVICE_PORT: '6379',
      NEARCACHE_SERVICE_PORT_REDIS: '6379',
      NEARCACHE_PORT: 'tcp://10.0.0.1:6379',
      NEARCACHE_PORT_6379_TCP: 'tcp://10.0.0.1:6379',
      NEARCACHE_INJECTOR_PORT_443_TCP_ADDR: '10.0.0.2',
    };
    expect(problemsOf({ env })).toEqual([]);
  });
});

describe('the size of the cache', () => {
  test.each(['0', '1mb', '32gb'])('may be %s', (size) => {
    expect(problemsOf({ argv: ['--cache-size', size] })).toEqual([]);
  });

  test.each(['1', '1023kb', '1048575'])('may not be %s: above 0 it is at least 1mb', (size) => {
    expect(problemsOf({ argv: ['--cache-size', size] })).toEqual([
      '--cache-size: must be 0 (no cache) or at least 1mb',
    ]);
  });
});

test('a value that holds itself is refused without being printed for ever', () => {
  expect(problemsOf({ argv: ['--config=c'], files: { c: 'drainMs: &all [*all]' } })).toEqual([
    expect.stringMatching(/^drainMs in c: .*Circular.* is not accepted/),
  ]);
});

describe('settings that do not go together', () => {
  const files = { pem: 'x', c: 'upstreamPassword: x\nupstreamPasswordFile: pem\n' };
  test.each([
    [['--config=c'], /^upstreamPasswordFile in c: give either/],
    [['--reconnect-base=3s'], /^--reconnect-base: must not be over --reconnect-max/],
    [['--listen=tls://a:1'], /^--listen: a tls:\/\/ listener needs/],
    [['--tls-cert=pem'], /^--tls-cert: is of no use without --tls-key/],
    [['--upstream-tls-ca=pem'], /^--upstream-tls-ca: has no effect beside a redis:\/\/ upstream/],
  ])('%s is refused', (argv, expected) => {
    expect(problemsOf({ argv, files })).toEqual([expect.stringMatching(expected)]);
  });

  test('a rule is silent about a value that was already refused', () => {
    const argv = ['--upstream=nonsense', '--upstream-tls-ca=pem'];
    expect(problemsOf({ argv, files })).toEqual([expect.stringMatching(/^--upstream: a URL must start/)]);
  });
});
