import { z } from 'zod';
import type { Parsed } from './addresses.ts';
import type { ClusterConfig, Config, PolicySettings, RingConfig, ShardConfig } from './config.ts';
import {
  DURATION_PATTERN,
  parseDuration,
  parseSize,
  printDuration,
  printSize,
  SIZE_PATTERN,
} from './units.ts';

/** One row of the options: everything that flags, environment, file, `--help` and the docs need to know.
 *  Shape: `key` in the file, `flag` on the command line; the variable's name follows from the flag.
 *  `initial` as a user would write it; `form` says in words what is accepted. */
export interface Option<T = unknown> {
  readonly flag: string;
  readonly schema: z.ZodType<T>;
  readonly form: string;
  readonly initial?: string | number | boolean;
  readonly min?: string;
  readonly max?: string;
  readonly help: string;
  readonly secret?: boolean;
  /** A flag without a value. */
  readonly isSwitch?: boolean;
  /** May be given many times; the values are joined by commas. */
  readonly isList?: boolean;
  /** Only a key of the file: neither flag nor variable. */
  readonly isFileOnly?: boolean;
  /** Names a file that must be readable at start. */
  readonly isFile?: boolean;
}

/** What a user can set: `Config` less what follows from it, and what is put together (policies, ring) as it was given. */
export type Settings = Omit<Config, 'listenGiven' | 'policies' | 'upstream' | 'topologyMaxAgeMs'> & {
  readonly upstream: UpstreamSetting;
  readonly ring: RingSetting | undefined;
  readonly ringDistribution: RingConfig['distribution'];
  readonly ringHash: RingConfig['hash'];
  readonly ringHashTag: string;
  readonly topologyMaxAgeMs: number | undefined;
  readonly policies: readonly PolicySettings[];
};

/** What `--upstream` names. */
export type UpstreamSetting = ClusterConfig | ShardsSetting;

/** The shards of a ring whose other properties are options of their own. */
export interface ShardsSetting {
  readonly kind: 'shards';
  readonly shards: readonly ShardConfig[];
}

/** `ring` of the file. Shape: undefined = as the option says. */
export interface RingSetting {
  readonly distribution?: RingConfig['distribution'] | undefined;
  readonly hash?: RingConfig['hash'] | undefined;
  readonly hashTag?: string | undefined;
  readonly shards: readonly ShardConfig[];
  /** What it is to become. What it does not say of how keys are placed is as now. */
  readonly next?: Omit<RingSetting, 'next'> | undefined;
}

/** The name of an option in the file and in `Config`. */
export type OptionKey = keyof Settings;

/** One row an option. */
export type OptionRows = { readonly [Key in OptionKey]: Option<Settings[Key]> };

type Row = Pick<Option, 'flag' | 'help' | 'secret'>;

/** A time. Units: `min`, `max` and the result in ms; written as `parseDuration` reads. */
export function duration(row: Row & { initial?: string; min: number; max: number }): Option<number> {
  const [min, max] = [printDuration(row.min), printDuration(row.max)];
  return {
    ...row,
    schema: quantity(DURATION_PATTERN, parseDuration, row.min, row.max),
    form: `a time from ${min} to ${max}, such as 250ms, 5s or 2m (plain number = ms)`,
    min,
    max,
  };
}

/** An amount of memory. Units: `min`, `max` and the result in bytes; written as `parseSize` reads. */
export function size(row: Row & { initial: string; min: number; max: number }): Option<number> {
  const [min, max] = [printSize(row.min), printSize(row.max)];
  return {
    ...row,
    schema: quantity(SIZE_PATTERN, parseSize, row.min, row.max),
    form: `a size from ${min} to ${max}, such as 512kb, 64mb or 1gb (plain number = bytes)`,
    min,
    max,
  };
}

/** A whole number. */
export function count(row: Row & { initial: number; min: number; max: number }): Option<number> {
  return {
    ...row,
    schema: quantity(/^\d+$/, Number, row.min, row.max),
    form: `a whole number from ${row.min} to ${row.max}`,
    min: String(row.min),
    max: String(row.max),
  };
}

/** A whole number of hundredths, with or without its sign. */
export function percent(row: Row & { initial: number; min: number; max: number }): Option<number> {
  return {
    ...row,
    schema: quantity(/^\d+%?$/, (text) => Number.parseInt(text, 10), row.min, row.max),
    form: `a percentage from ${row.min} to ${row.max}, such as ${row.initial} or ${row.initial}%`,
    min: String(row.min),
    max: String(row.max),
  };
}

/** One of a few words. */
export function choice<T extends string>(row: Row & { initial: T; words: readonly T[] }): Option<T> {
  const { words, ...rest } = row;
  return { ...rest, schema: z.enum(words), form: `one of ${words.join(', ')}` };
}

/** On or off; off by default. */
export function onOff(row: Row): Option<boolean> {
  const schema = z.union([z.boolean(), z.enum(['true', 'false', 'on', 'off'])]);
  return {
    ...row,
    schema: schema.transform((value) => value === true || value === 'true' || value === 'on'),
    form: 'true or false, on or off',
    initial: false,
    isSwitch: true,
  };
}

/** Any text, absent by default. A bare number in the file is refused: YAML would read 0123 as 123. */
export function text(row: Row): Option<string | undefined> {
  return {
    ...row,
    schema: z.string().min(1).optional(),
    form: 'a text (in the file: quoted, if all digits)',
  };
}

/** The path of a file that must be readable, absent by default. */
export function file(row: Row): Option<string | undefined> {
  return { ...row, schema: z.string().min(1).optional(), form: 'the path of a readable file', isFile: true };
}

/** A text with a parser of its own. */
export function parsed<T>(
  row: Row & { initial: string; form: string; parse: (text: string) => Parsed<T> },
): Option<T> {
  const { parse, ...rest } = row;
  const schema = z.string().transform((text, context) => take(parse(text.trim()), context));
  return { ...rest, schema };
}

/** The same option, absent by default. Shape: of one without `initial`. */
export function optional<T>(option: Option<T>): Option<T | undefined> {
  return { ...option, schema: option.schema.optional() };
}

/** A comma list, or a list in the file, of texts with a parser of their own. Bounds: at least one. */
export function list<T>(
  row: Row & { initial: string; form: string; parse: (text: string) => Parsed<T> },
): Option<readonly T[]> {
  const { parse, ...rest } = row;
  const schema = z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .transform((value) => [value].flat().flatMap((part) => part.split(',')))
    .transform((parts, context) => parts.map((part) => take(parse(part.trim()), context)));
  return { ...rest, schema, isList: true };
}

function quantity(
  pattern: RegExp,
  parse: (text: string) => number | undefined,
  min: number,
  max: number,
): z.ZodType<number> {
  return z
    .union([z.string().regex(pattern), z.int().min(min).max(max)])
    .transform((value) => (typeof value === 'number' ? value : (parse(value) ?? Number.NaN)))
    .pipe(z.number().min(min).max(max));
}

/** The value, or its problem as an issue of the schema. */
export function take<T>(parsed: Parsed<T>, context: z.RefinementCtx): T {
  if (parsed.problem === undefined) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.problem });
  return z.NEVER;
}
