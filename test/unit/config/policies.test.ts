import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Policy } from '../../../src/policy/policy.ts';

interface Input {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

function load({ argv = [], env = {}, file = '' }: Input): ReturnType<typeof loadConfig> {
  return loadConfig([...argv, '--config=c'], env, () => file);
}

/** The policies besides the default one. */
function policiesOf(input: Input): readonly Policy[] {
  const loaded = load(input);
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded.config.policies.all.slice(1);
}

function problemsOf(input: Input): readonly string[] {
  const loaded = load(input);
  return 'problems' in loaded ? loaded.problems : [];
}

describe('policies', () => {
  test('there is the default alone, made of the general options, when none is given', () => {
    const loaded = load({ argv: ['--cache-max-ttl=7s', '--stale-while-revalidate=3s'] });
    if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
    expect(loaded.config.policies.all).toEqual([
      {
        number: 0,
        prefix: Buffer.alloc(0),
        name: 'default',
        isCached: true,
        maxTtlMs: 7000,
        negativeTtlMs: 1000,
        jitterPercent: 10,
        softTtlPercent: 80,
        isReread: true,
        staleWhileRevalidateMs: 3000,
        readPreference: 'primary',
        lease: undefined,
        staleIfErrorMs: 30_000,
        whenAway: 'error',
        rateLimit: 0,
      },
    ]);
  });

  test('take from the general options what they leave out', () => {
    const general =
      '--cache-max-ttl=7s --cache-negative-ttl=8s --cache-ttl-jitter=9 --cache-soft-ttl=50% --cache-reread=off --stale-while-revalidate=4s';
    const upstream = ['--upstream=redis+cluster://h', '--read-preference=nearest'];
    const argv = [...general.split(' '), ...upstream, '--policy=prefix=a'];
    expect(policiesOf({ argv })).toMatchObject([
      {
        isCached: true,
        maxTtlMs: 7000,
        negativeTtlMs: 8000,
        jitterPercent: 9,
        softTtlPercent: 50,
        isReread: false,
        staleWhileRevalidateMs: 4000,
        readPreference: 'nearest',
        lease: undefined,
      },
    ]);
  });

  test('say everything of their own in a text', () => {
    const text =
      'prefix=a:; cache=off;maxTtl=1m;negativeTtl=0;ttlJitter=0;softTtl=100%;reread=off;staleWhileRevalidate=2s;' +
      'readPreference=replica;leases=on;leaseWait=100ms;leaseTtl=9s;staleIfError=1s;whenAway=miss;rateLimit=50;';
    expect(policiesOf({ argv: ['--upstream=redis+cluster://h', '--policy', text] })).toEqual([
      {
        number: 1,
        prefix: Buffer.from('a:'),
        name: 'a:',
        isCached: false,
        maxTtlMs: 60_000,
        negativeTtlMs: 0,
        jitterPercent: 0,
        softTtlPercent: 100,
        isReread: false,
        staleWhileRevalidateMs: 2000,
        readPreference: 'replica',
        lease: { waitMs: 100, ttlMs: 9000 },
        staleIfErrorMs: 1000,
        whenAway: 'miss',
        rateLimit: 50,
      },
    ]);
  });

  test('may be maps in the file, with numbers and booleans', () => {
    const file = `policies:
  - { prefix: "a:", cache: false, maxTtl: 500, softTtl: 20, leases: true }
  - prefix: 'b\\x00'
    cache: off
`;
    expect(policiesOf({ file })).toMatchObject([
      {
        name: 'a:',
        isCached: false,
        maxTtlMs: 500,
        softTtlPercent: 20,
        lease: { waitMs: 1000, ttlMs: 5000 },
      },
      { prefix: Buffer.from('b\0'), isCached: false, lease: undefined },
    ]);
  });

  test('add up over flags and over the commas of a variable, and replace those of the file', () => {
    const env = { NEARCACHE_POLICY: 'prefix=a, prefix=b\\x2c' };
    const file = 'policies: [{ prefix: z }]';
    const namesOf = (input: Input): readonly string[] => policiesOf(input).map(({ name }) => name);
    expect(namesOf({ file })).toEqual(['z']);
    expect(namesOf({ env, file })).toEqual(['a', 'b\\x2c']);
    expect(namesOf({ argv: ['--policy=prefix=c', '--policy', 'prefix=d'], env, file })).toEqual(['c', 'd']);
  });
});

describe('mistakes in policies', () => {
  test('are listed all at once, each with its policy and the accepted form', () => {
    const texts = [
      'prefix=a;maxTtl=1;maxTll=3;cache;softTtl=0;prefix=b',
      'maxTtl=3s',
      'prefix=a;staleWhileRevalidate=2h',
      'prefix=z;leaseTtl=1s',
      'prefix=\\q',
    ];
    expect(problemsOf({ argv: ['--policy', texts.join(), '--max-clients=0'] })).toEqual([
      '--policy: policy 1: "cache" is not a part; accepted: name=value',
      '--policy: policy 1: prefix is given twice; accepted: each part once',
      expect.stringMatching(/^--policy: policy "a": maxTtl "1" is not accepted; accepted: a time from 100ms/),
      '--policy: policy "a": softTtl "0" is not accepted; accepted: a percentage from 1 to 100, such as 80 or 80%',
      expect.stringMatching(
        /^--policy: policy "a": no such part as maxTll; did you mean maxTtl\?; accepted: prefix, /,
      ),
      expect.stringMatching(/^--policy: policy 2: needs a prefix; accepted: a text of 1 to 1024 bytes/),
      '--policy: policy "a": comes twice; accepted: one policy a prefix',
      expect.stringMatching(/^--policy: policy "a": staleWhileRevalidate "2h" is not accepted/),
      '--policy: policy "z": leaseTtl is of no use without leases; accepted: leases=on beside it',
      expect.stringMatching(/^--policy: policy "\\q": prefix "\\q" has a backslash that begins neither/),
      expect.stringMatching(/^--max-clients: "0" is not accepted/),
    ]);
  });

  test.each([
    ['a map', '{ prefix: a }', /^policies in c: \{ prefix: 'a' \} is not accepted; accepted: prefix=TEXT/],
    ['a number', '[7]', /^policies in c: policy 1: 7 is not a map of its parts/],
    ['a prefix that is a number', '[{ prefix: 7 }]', /^policies in c: policy 1: prefix 7 .*quoted/],
    ['an empty prefix', '[{ prefix: "" }]', /^policies in c: policy 1: prefix is empty/],
    ['a part without value', '[{ prefix: a, maxTtl: }]', /policy "a": maxTtl null is not accepted/],
    ['a list that holds itself', '&all [*all]', /^policies in c: policy 1: .*Circular.* is not a map/],
    ['a long prefix', `[{ prefix: ${'x'.repeat(1025)} }]`, /prefix has 1025 bytes; accepted: a text of 1 to/],
    [
      'a list of 256',
      `[${Array.from({ length: 256 }, (_, number) => `{ prefix: p${number} }`).join()}]`,
      /^policies in c: 256 policies; accepted: up to 255 policies$/,
    ],
  ])('%s is refused with a reason', (_, policies, expected) => {
    expect(problemsOf({ file: `policies: ${policies}` })).toEqual([expect.stringMatching(expected)]);
  });

  test('the same prefix counts once however it is escaped', () => {
    expect(problemsOf({ argv: ['--policy=prefix=ab,prefix=\\x61b'] })).toEqual([
      expect.stringMatching(/^--policy: policy "\\x61b": comes twice/),
    ]);
  });
});
