import { quietShare } from '../others.ts';

/** One column. `align` is where the digits stand. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A table of plain text that is also valid Markdown, so that it can be pasted. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, i) =>
    Math.max(3, title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${columns
      .map(({ align }, i) => {
        const [cell, width] = [cells[i] ?? '', widths[i] as number];
        return align === 'left' ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(' | ')} |`;
  const rule = columns.map(({ align }, i) => {
    const dashes = '-'.repeat((widths[i] as number) - 1);
    return align === 'left' ? `:${dashes}` : `${dashes}:`;
  });
  return [line(columns.map(({ title }) => title)), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** A number with about three significant digits; `–` for one that was not measured. */
export function digits(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** 123456 as `123 k`, 1234567 as `1.23 M`. */
export function quantity(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1e3 ? `${digits(value / 1e3)} k` : value.toFixed(0);
}

/** 0.123 as `12.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** The note on a row that other programs may have decided. */
export function noise({ othersShare }: { readonly othersShare: number }): string {
  return othersShare < quietShare ? '' : `noisy: others used up to ${percent(othersShare)} of the CPU`;
}

/** What to say of a run that other programs may have decided, a gate's verdicts included; undefined of a quiet one. */
export function disturbance(rows: readonly object[]): string | undefined {
  const shares = rows.map((row) => ('othersShare' in row ? Number(row.othersShare) : 0));
  const most = Math.max(0, ...shares);
  if (most < quietShare) return undefined;
  return `Other programs used up to ${percent(most)} of the CPU: run again on a quiet machine.`;
}

/** The middle value, or the mean of the middle two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
