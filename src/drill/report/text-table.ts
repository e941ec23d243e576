/** Tables of plain text that never get wider than they may: long cells go on in the next line. */

const GAP = '  ';
const LEAST_WIDTH = 6;

/** Rows of cells, as lines. Shape: all rows have as many cells; no line is wider than `width`, and none ends with blanks.
 *  `isFlexible` are the columns that may wrap, all others are as wide as their widest cell. */
export function textTable(
  rows: readonly (readonly string[])[],
  width: number,
  isFlexible: (column: number) => boolean,
): string[] {
  const columns = (rows[0] ?? []).map((_, column) => column);
  const natural = columns.map((column) => Math.max(...rows.map((row) => lengthOf(row[column] ?? ''))));
  const widths = fit(natural, width - GAP.length * Math.max(0, columns.length - 1), isFlexible);
  return rows.flatMap((row) => {
    const cells = row.map((cell, column) => wrap(cell, widths[column] ?? LEAST_WIDTH));
    const height = Math.max(...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((lines, column) => pad(lines[line] ?? '', widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
    );
  });
}

/** Text in lines of at most `width` characters, broken between words where it can be. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (lengthOf(longer) > width && line !== '') {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** What a terminal would obey becomes a blank. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - lengthOf(text)));
}

function pieces(word: string, width: number): string[] {
  const letters = Array.from(word);
  if (letters.length <= width) return [word];
  return Array.from({ length: Math.ceil(letters.length / width) }, (_, i) =>
    letters.slice(i * width, (i + 1) * width).join(''),
  );
}

/** Takes from the widest flexible column until all fit. */
function fit(natural: readonly number[], room: number, isFlexible: (column: number) => boolean): number[] {
  const widths = [...natural];
  for (let over = widths.reduce((sum, width) => sum + width, 0) - room; over > 0; over--) {
    const most = Math.max(...widths.filter((_, column) => isFlexible(column)));
    const widest = widths.findIndex((width, column) => isFlexible(column) && width === most);
    if (most <= LEAST_WIDTH || widest < 0) break;
    widths[widest] = most - 1;
  }
  return widths;
}
