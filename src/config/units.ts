// One suffix table a kind; printing takes the largest unit that divides evenly, so parse(print(n)) = n.

/** Milliseconds. */
export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;

/** Bytes; 1024, not 1000, as redis.conf's own `kb`, `mb`, `gb`. */
export const KB = 1024;
export const MB: number = 1024 * KB;
export const GB: number = 1024 * MB;

const DURATION_UNITS = [
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
] as const;

const SIZE_UNITS = [
  ['gb', GB],
  ['mb', MB],
  ['kb', KB],
  ['b', 1],
] as const;

type Units = readonly (readonly [suffix: string, factor: number])[];

/** What a duration may look like; shared by the parser and the JSON Schema. */
export const DURATION_PATTERN: RegExp = /^\d+([mM]?[sS]|[mM]|[hH])?$/;

/** What a size may look like; shared by the parser and the JSON Schema. */
export const SIZE_PATTERN: RegExp = /^\d+([kKmMgG]?[bB])?$/;

/** Read a duration such as `250ms`, `1s`, `5m`, `2h`, `0`. Units: a plain number is milliseconds, so is the
 *  result. Errors: undefined when the text is not of that form. */
export function parseDuration(text: string): number | undefined {
  return DURATION_PATTERN.test(text) ? parseUnits(text, DURATION_UNITS) : undefined;
}

/** Print milliseconds so that `parseDuration` gives them back. */
export function printDuration(ms: number): string {
  return printUnits(ms, DURATION_UNITS);
}

/** Read a size such as `512kb`, `64mb`, `1gb`, `0`. Units: a plain number is bytes, so is the result; k, m and
 *  g are powers of 1024. Errors: undefined when the text is not of that form. */
export function parseSize(text: string): number | undefined {
  return SIZE_PATTERN.test(text) ? parseUnits(text, SIZE_UNITS) : undefined;
}

/** Print bytes so that `parseSize` gives them back. */
export function printSize(bytes: number): string {
  return printUnits(bytes, SIZE_UNITS);
}

function parseUnits(text: string, units: Units): number | undefined {
  const digits = Number.parseInt(text, 10);
  const suffix = text.replace(/^\d+/, '').toLowerCase();
  const factor = units.find(([name]) => name === suffix)?.[1] ?? 1;
  const value = digits * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function printUnits(value: number, units: Units): string {
  if (value === 0) return '0';
  const [suffix, factor] = units.find(([, factor]) => value % factor === 0) ?? ['', 1];
  return `${value / factor}${suffix}`;
}
