import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseListen, printHostPort, printListen } from '../../src/config/addresses.ts';
import type { ListenAddress, ShardConfig } from '../../src/config/config.ts';
import { configDifference } from '../../src/config/difference.ts';
import { loadConfig } from '../../src/config/load.ts';
import { parseDuration, parseSize, printDuration, printSize } from '../../src/config/units.ts';
import { parseUpstreamUrl } from '../../src/config/upstream-url.ts';

const LIMITS = { interruptAfterTimeLimit: 3000, markInterruptAsFailure: false };

test('any printed duration or size is read back as the same number', () => {
  const amount = fc.oneof(
    fc.nat(),
    fc.maxSafeNat(),
    fc.nat(2000).map((n) => n * 60_000),
  );
  fc.assert(
    fc.property(amount, (n) => {
      expect(parseDuration(printDuration(n))).toBe(n);
      expect(parseSize(printSize(n))).toBe(n);
    }),
    LIMITS,
  );
});

test('any printed listener is read back as the same listener', () => {
  const port = fc.integer({ min: 0, max: 65_535 });
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  const address: fc.Arbitrary<ListenAddress> = fc.oneof(
    fc.record({ kind: fc.constant('tcp' as const), host, port }),
    fc.record({ kind: fc.constant('tls' as const), host, port }),
    fc.record({ kind: fc.constant('unix' as const), path: fc.stringMatching(/^\/[\w./-]{1,80}$/) }),
  );
  fc.assert(
    fc.property(address, (value) => {
      fc.pre(value.kind !== 'unix' || !value.path.startsWith('//'));
      expect(parseListen(printListen(value))).toEqual({ value });
    }),
    LIMITS,
  );
});

test('any credentials survive percent-encoding in the URL', () => {
  const word = fc.string({ minLength: 1, unit: 'binary' });
  const rest = fc.constantFrom('redis://@h:1', 'redis+cluster://@h:1,g', 'rediss+sentinel://@h:1/m');
  fc.assert(
    fc.property(rest, word, word, (url, user, password) => {
      const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
      expect(parseUpstreamUrl(url.replace('@', () => credentials)).value).toMatchObject({ user, password });
    }),
    LIMITS,
  );
});

const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
const port = fc.integer({ min: 1, max: 65_535 });
/** Sorted, so that equal lists are printed alike. */
const hosts = fc
  .uniqueArray(fc.record({ host, port }), { minLength: 1, maxLength: 4, selector: printHostPort })
  .map((list) => list.toSorted((a, b) => (printHostPort(a) < printHostPort(b) ? -1 : 1)));
const secret = fc.string({ minLength: 1, unit: 'binary' });
const shard: fc.Arbitrary<ShardConfig> = fc.record(
  {
    name: fc.string({
      minLength: 1,
      maxLength: 128,
      unit: fc.constantFrom(...'aZ0:/?#&=%@,;"\\~'.split('')),
    }),
    weight: fc.integer({ min: 1, max: 1000 }),
    source: fc.oneof(
      fc.record({ kind: fc.constant('address' as const), host, port }),
      fc.record(
        {
          kind: fc.constant('sentinel' as const),
          sentinels: hosts,
          master: fc.stringMatching(/^[\w.-]{1,9}$/),
          sentinelPassword: secret,
        },
        { requiredKeys: ['kind', 'sentinels', 'master'] },
      ),
    ),
    tls: fc.boolean(),
    user: secret,
    password: secret,
    replicas: fc.oneof(fc.constant([]), hosts),
  },
  { requiredKeys: ['name', 'weight', 'source', 'tls', 'replicas'] },
);
const shards = fc.uniqueArray(shard, {
  minLength: 1,
  maxLength: 5,
  comparator: (a, b) => a.name === b.name || printSource(a) === printSource(b),
});

/** Where it is. */
function printSource({ source }: ShardConfig): string {
  if (source.kind === 'address') return printHostPort(source);
  return `${source.sentinels.map(printHostPort).join()}/${source.master}`;
}

function printUrl(given: ShardConfig, query: readonly string[]): string {
  const { source, tls, user, password } = given;
  const scheme = `redis${tls ? 's' : ''}${source.kind === 'sentinel' ? '+sentinel' : ''}://`;
  const encode = encodeURIComponent;
  const credentials = [encode(user ?? ''), ...(password === undefined ? [] : [encode(password)])].join(':');
  const parts = [...query];
  if (source.kind === 'sentinel' && source.sentinelPassword !== undefined) {
    parts.push(`sentinelPassword=${encode(source.sentinelPassword)}`);
  }
  const end = parts.length === 0 ? '' : `?${parts.join('&')}`;
  return `${scheme}${credentials === '' ? '' : `${credentials}@`}${printSource(given)}${end}`;
}

test('any ring is read alike from a list of URLs and from the file', () => {
  fc.assert(
    fc.property(shards, (all) => {
      const urls = all.map((each) =>
        printUrl(each, [
          `name=${encodeURIComponent(each.name)}`,
          ...each.replicas.map((replica) => `replica=${printHostPort(replica)}`),
          `weight=${each.weight}`,
        ]),
      );
      const file = {
        ring: {
          shards: all.map((each) => {
            const { name, weight, replicas } = each;
            return { name, weight, replicas: replicas.map(printHostPort), url: printUrl(each, []) };
          }),
        },
      };
      const fromFlag = loadConfig(['--upstream', urls.join()], {}, () => '');
      const fromFile = loadConfig(['--config=c'], {}, () => JSON.stringify(file));
      expect(fromFlag).toMatchObject({ config: { upstream: { shards: all } } });
      expect(fromFile).toMatchObject({ config: { upstream: { shards: all } } });
      if (!('config' in fromFlag && 'config' in fromFile)) throw new Error('refused');
      expect(configDifference(fromFlag.config, fromFile.config)).toEqual({
        ringChanged: false,
        restartKeys: [],
      });
    }),
    LIMITS,
  );
});

test('no problem with any URL, whatever it is made of, quotes the password', () => {
  const piece = fc.constantFrom(
    ...'redis:// redis+sentinel:// redis+cluster:// x:// :hunter2 u:hunter2@ :%hunter2@ /m h :1'.split(' '),
    ...'@ , / ? # & % name= weight= replica= sentinelPassword='.split(' '),
  );
  const url = fc.array(piece, { minLength: 2, maxLength: 9 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(url, (text) => {
      const file = `ring: { hash: x, shards: [{ url: '${text}', weight: '${text}' }, { url: '${text}', name: '${text}' }] }`;
      for (const argv of [['--upstream', text], ['--config=c']]) {
        const loaded = loadConfig(argv, {}, () => file);
        if ('problems' in loaded) expect(loaded.problems.join('\n')).not.toContain('hunter2');
      }
    }),
    LIMITS,
  );
});

const YAML_PIECES = [
  ...': |[|1|\n|- |&a|*a|"|{|]|}|, |cacheBytes|policies|prefix'.split('|'),
  ...'ring|shards|url|redis://h|name|weight|replicas|hash|upstream'.split('|'),
];

test('any arguments, variables and file give a configuration or one-line problems', () => {
  const flag = fc.oneof(
    fc.constantFrom(
      '--cache-size',
      '--listen',
      '--config',
      '--config=c',
      '--require-auth',
      '--policy',
      '--policy=prefix=a;maxTtl=1s',
      'prefix=b;leases=on,prefix=\\',
      '--upstream=redis://a,redis://b',
      '--upstream=redis+cluster://a',
      '--ring-hash=md5',
      '--ring-hash-tag',
      '--',
      '-',
      '--no-x',
    ),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('-', 'a', '=', '\n', ',', ':', '1') }),
  );
  const name = fc.constantFrom('NEARCACHE_LISTEN', 'NEARCACHE_X', 'NEARCACHE_ADMIN', 'PATH', '__proto__');
  const yaml = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...YAML_PIECES)).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.array(flag), fc.dictionary(name, fc.string()), yaml, (argv, env, file) => {
      const loaded = loadConfig(argv, env, () => file);
      if (!('problems' in loaded)) return;
      expect(loaded.problems.length).toBeGreaterThan(0);
      for (const problem of loaded.problems) expect(problem).not.toContain('\n');
    }),
    LIMITS,
  );
});
