import { describe, expect, test } from 'vitest';
import { POLICIES_MAX, type PolicyRules, PolicyTable } from '../../../src/policy/policy-table.ts';

const rules: PolicyRules = {
  isCached: true,
  maxTtlMs: 1,
  negativeTtlMs: 2,
  jitterPercent: 3,
  softTtlPercent: 4,
  isReread: true,
  staleWhileRevalidateMs: 5,
  lease: undefined,
  staleIfErrorMs: 0,
  whenAway: 'error',
  rateLimit: 0,
};

function tableOf(...prefixes: readonly string[]): PolicyTable {
  return new PolicyTable(
    rules,
    prefixes.map((prefix) => ({ prefix: Buffer.from(prefix, 'latin1'), rules })),
  );
}

/** The name of the policy of a key that stands amid other bytes. */
function nameFor(table: PolicyTable, key: string): string {
  const bytes = Buffer.from(`session:${key}session:`, 'latin1');
  return table.of(bytes, 8, bytes.length - 8).name;
}

describe('the policy of a key', () => {
  test('is the default when there is no other', () => {
    expect([nameFor(tableOf(), 'a'), nameFor(tableOf(), '')]).toEqual(['default', 'default']);
  });

  test.each([
    ['session:1', 'session:'],
    ['session:', 'session:'],
    ['session', 'default'],
    ['', 'default'],
    ['session:admin:7', 'session:admin:'],
    ['session:admin', 'session:'],
    ['session:b', 'session:'],
    ['session:a', 'session:'],
    ['user', 'user'],
    ['zebra', 'default'],
    ['Session:1', 'default'],
  ])('%s falls under %s, the longest prefix it begins with', (key, name) => {
    expect(nameFor(tableOf('user', 'session:admin:', 'session:', 'session:admin:x'), key)).toBe(name);
  });

  test('is found by bytes, also those that are no text', () => {
    const table = tableOf('\xff', '\xff\0', '\0');
    expect(['\xff\x01', '\xff\0\0', '\0a', '\xfe'].map((key) => nameFor(table, key))).toEqual([
      '\\xff',
      '\\xff\\x00',
      '\\x00',
      'default',
    ]);
  });

  test('is found over a sibling that sorts between the prefix and the key', () => {
    expect(nameFor(tableOf('a', 'ab', 'abc', 'ac'), 'ad')).toBe('a');
  });
});

describe('the table', () => {
  test('numbers its policies in the order given, the default first', () => {
    const table = tableOf('b', 'a');
    expect(table.all.map(({ number, name, prefix }) => [number, name, String(prefix)])).toEqual([
      [0, 'default', ''],
      [1, 'b', 'b'],
      [2, 'a', 'a'],
    ]);
    expect(table.all[2]).toMatchObject(rules);
  });

  test('names no other policy like the default one', () => {
    expect(tableOf('default').all.map(({ name }) => name)).toEqual(['default', '\\x64efault']);
  });

  test('holds 255 policies besides the default, and no more', () => {
    const prefixes = Array.from({ length: POLICIES_MAX }, (_, number) => `p${number}:`);
    const table = tableOf(...prefixes.slice(1));
    expect(prefixes.slice(1).map((prefix) => nameFor(table, `${prefix}x`))).toEqual(prefixes.slice(1));
    expect(() => tableOf(...prefixes)).toThrow(RangeError);
  });

  test.each([[['']], [['a', 'a']], [['ab', 'a', 'ac', 'ab']]])(
    'refuses the prefixes %j, empty or equal',
    (prefixes) => {
      expect(() => tableOf(...prefixes)).toThrow(RangeError);
    },
  );
});
