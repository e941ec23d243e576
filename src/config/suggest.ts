/** The name that was most likely meant, or undefined when none is close. Case, dashes, underscores and the
 *  variable's prefix do not count. Cost: names × length². Source: Levenshtein distance. */
export function nearestName(wrong: string, names: readonly string[]): string | undefined {
  const wanted = bare(wrong);
  const ranked = names
    .map((name) => ({ name, distance: editDistance(wanted, bare(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  // A third of the letters may differ: `--cach-sise` is a slip, `--foo` is not.
  return best !== undefined && best.distance <= Math.floor(wanted.length / 3) ? best.name : undefined;
}

function bare(name: string): string {
  return name
    .replace(/^NEARCACHE_/, '')
    .replaceAll(/[^a-zA-Z0-9]/g, '')
    .toLowerCase();
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = (above[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      line.push(Math.min(change, (above[column] as number) + 1, (line[column - 1] as number) + 1));
    }
    above = line;
  }
  return above[b.length] as number;
}
