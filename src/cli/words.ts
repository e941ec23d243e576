import { parseArgs } from 'node:util';
import { nearestName } from '../config/suggest.ts';

/** Flags by name. Shape: true for a switch that was given. */
export type Values = Record<string, string | boolean | undefined>;

/** Read the arguments of a tool. Shape: `strings` are flags with a value, `switches` those without.
 *  Errors: none thrown; every mistake is a line of `problems`. */
export function readWords(
  argv: readonly string[],
  strings: readonly string[],
  switches: readonly string[],
  problems: string[],
): { values: Values; words: string[] } {
  const names: readonly string[] = [...strings, ...switches];
  const { tokens } = parseArgs({
    args: [...argv],
    options: {
      ...Object.fromEntries(strings.map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(switches.map((name) => [name, { type: 'boolean' as const }])),
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Values = {};
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const isSwitch = switches.includes(token.name);
    if (!names.includes(token.name)) {
      const nearest = nearestName(token.name, names);
      problems.push(
        `--${token.name}: no such flag${nearest === undefined ? '' : `; did you mean --${nearest}?`}`,
      );
    } else if (isSwitch) values[token.name] = true;
    else if (token.value === undefined) problems.push(`--${token.name}: needs a value`);
    else values[token.name] = token.value;
  }
  return { values, words };
}

/** A whole number from 1 on. */
export function readCount(flag: string, text: string, max: number, problems: string[]): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) problems.push(`--${flag}: "${text}" is not accepted; accepted: 1 to ${max}`);
  return value;
}

/** One of several words; the first one stands for a mistake. */
export function readWord<T extends string>(
  flag: string,
  given: string | boolean,
  words: readonly T[],
  problems: string[],
): T {
  const word = words.find((each) => each === given);
  if (word === undefined)
    problems.push(`--${flag}: "${given}" is not accepted; accepted: ${words.join(', ')}`);
  return word ?? (words[0] as T);
}
