/** The flags of a benchmark, read with `node:util`. */
import { parseArgs } from 'node:util';

/** A mistake on the command line. */
export class UsageError extends Error {}

/** The text of each flag that is not given. */
export type Defaults = Readonly<Record<string, string>>;

/** Where both are given, --gate wins. */
const presetNames = ['gate', 'quick', 'full'] as const;
export type Preset = (typeof presetNames)[number];

/** What a benchmark takes. Shape: `presets` differ from `defaults`; --quick and --gate choose one; `switches` are the flags
 *  without a value beside those two. */
export interface FlagSet {
  readonly defaults: Defaults;
  readonly presets: Readonly<Record<Preset, Defaults>>;
  readonly switches: readonly string[];
}

/** The flags that were given, with defaults for the others.
 *  Errors: every method throws UsageError, which names the flag and what it takes. */
export interface Flags {
  readonly preset: Preset;
  /** undefined = neither --name nor --no-name was given. */
  switch(name: string): boolean | undefined;
  number(name: string, least: number): number;
  numbers(name: string, least?: number): number[];
  words<T extends string>(name: string, known: readonly T[]): T[];
  /** A list, each item read by `parse`; undefined from it = not of the form `wants`. */
  list<T>(name: string, wants: string, parse: (text: string) => T | undefined): T[];
  /** Every value as it was given, commas and all. */
  texts(name: string): readonly string[];
}

/** Reads the command line of one benchmark. Lists are parted by commas or given by repeating the flag. */
export function readFlags(args: readonly string[], set: FlagSet): Flags {
  const values = parse(args, set);
  const preset = presetNames.find((name) => values[name] === true) ?? 'full';
  const texts = (name: string): readonly string[] => {
    const given = values[name];
    if (Array.isArray(given)) return given.map(String);
    const text = set.presets[preset][name] ?? set.defaults[name] ?? '';
    return text === '' ? [] : [text];
  };
  const list: Flags['list'] = (name, wants, parse) =>
    texts(name)
      .flatMap((text) => text.split(','))
      .map((text) => {
        const item = parse(text);
        if (item !== undefined) return item;
        throw new UsageError(`--${name} takes ${wants}, not "${text}"`);
      });
  const numbers = (name: string, least = 1): number[] =>
    list(name, `numbers of at least ${least}`, (text) =>
      text.trim() !== '' && Number(text) >= least ? Number(text) : undefined,
    );
  return {
    preset,
    switch: (name) => (typeof values[name] === 'boolean' ? values[name] : undefined),
    list,
    texts,
    numbers,
    number(name, least) {
      const [value, ...more] = numbers(name, least);
      if (value === undefined || more.length > 0) throw new UsageError(`--${name} takes one number`);
      return value;
    },
    words: (name, known) => list(name, known.join(', '), (text) => known.find((each) => each === text)),
  };
}

function parse(
  args: readonly string[],
  { defaults, switches }: FlagSet,
): Record<string, boolean | (string | boolean)[] | undefined> {
  const options = {
    quick: { type: 'boolean' as const },
    gate: { type: 'boolean' as const },
    ...Object.fromEntries(switches.map((name) => [name, { type: 'boolean' as const }])),
    ...Object.fromEntries(
      Object.keys(defaults).map((name) => [name, { type: 'string' as const, multiple: true as const }]),
    ),
  };
  try {
    return parseArgs({ args: [...args], options, allowNegative: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
