import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseListen, parseUpstream, printListen } from '../../src/config/addresses.ts';
import type { ListenAddress } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { parseDuration, parseSize, printDuration, printSize } from '../../src/config/units.ts';

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
  fc.assert(
    fc.property(word, word, (user, password) => {
      const url = `redis://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h:1`;
      expect(parseUpstream(url).value).toMatchObject({ user, password, host: 'h', port: 1 });
    }),
    LIMITS,
  );
});

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
    fc
      .array(
        fc.constantFrom('cacheBytes', 'policies', 'prefix', ': ', '[', '1', '\n', '- ', '&a', '*a', '"', '{'),
      )
      .map((parts) => parts.join('')),
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
