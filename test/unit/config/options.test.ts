import { expect, test } from 'vitest';
import { helpText } from '../../../src/config/help.ts';
import { OPTION_GROUPS, OPTION_ROWS, OPTIONS, variableOf } from '../../../src/config/options.ts';
import { configJsonSchema, configSchema } from '../../../src/config/schema.ts';

test('the help mentions every option with its flag, meaning and default', () => {
  const help = helpText();
  for (const [, option] of OPTION_ROWS) {
    expect(help).toContain(option.isFileOnly === true ? `(file) ${option.flag}:` : `--${option.flag}`);
    expect(help).toContain(option.help);
    if (option.initial !== undefined && option.isSwitch !== true) {
      expect(help).toContain(`[default ${option.initial}`);
    }
  }
});

test('every option is in exactly one group', () => {
  const grouped = OPTION_GROUPS.flatMap(({ rows }) => Object.keys(rows));
  expect(grouped.toSorted()).toEqual(Object.keys(OPTIONS).toSorted());
});

test('flags are distinct and none reads like a variable that Kubernetes makes for a Service', () => {
  const flags = OPTION_ROWS.map(([, option]) => option.flag);
  expect(new Set(flags).size).toBe(flags.length);
  expect(flags.map((flag) => variableOf(flag)).filter((name) => /_(PORT|SERVICE_HOST)/.test(name))).toEqual(
    [],
  );
});

test('units end the key and never the flag', () => {
  for (const [key, option] of OPTION_ROWS) {
    expect(option.flag).not.toMatch(/(ms|bytes)$/);
    expect(option.form.startsWith('a time')).toBe(key.endsWith('Ms'));
    expect(option.form.startsWith('a size')).toBe(key.endsWith('Bytes'));
    expect(option.form.startsWith('a percentage')).toBe(key.endsWith('Percent'));
  }
});

test('the JSON Schema describes every option and refuses unknown keys', () => {
  const schema = JSON.parse(configJsonSchema()) as {
    properties: Record<string, { description?: string; default?: unknown }>;
    additionalProperties: boolean;
    required?: readonly string[];
  };
  expect(Object.keys(schema.properties).toSorted()).toEqual(Object.keys(OPTIONS).toSorted());
  expect(schema.properties['cacheBytes']).toMatchObject({
    default: '64mb',
    description: OPTIONS.cacheBytes.help,
  });
  expect(schema.properties['policies']).toMatchObject({
    type: 'array',
    maxItems: 255,
    items: { required: ['prefix'], additionalProperties: false },
  });
  expect(schema.properties['ring']).toMatchObject({
    required: ['shards'],
    additionalProperties: false,
    properties: {
      hash: { enum: expect.arrayContaining(['fnv1a_64', 'md5']) },
      shards: { maxItems: 1024, items: { required: ['url'], additionalProperties: false } },
    },
  });
  expect(schema.additionalProperties).toBe(false);
  expect(schema.required ?? []).toEqual([]);
});

test.each(OPTION_ROWS.filter(([, option]) => option.min !== undefined).map(([key]) => key))(
  'the bounds of %s are themselves accepted and what lies outside is not',
  (key) => {
    const option = OPTIONS[key];
    const accepts = (value: unknown): boolean => configSchema.safeParse({ [key]: value }).success;
    const read = (text: string | undefined): number => Number(option.schema.parse(text));
    expect([accepts(option.min), accepts(option.max)]).toEqual([true, true]);
    expect([accepts(read(option.min) - 1), accepts(read(option.max) + 1)]).toEqual([false, false]);
    expect(accepts(String(read(option.max) + 1))).toBe(false);
  },
);
