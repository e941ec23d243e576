import { Ring } from '../../src/route/ring.ts';

/** As many keys of each shard of a ring, as nearcache places them by default. Shape: a list for each name, in the same order; keys are
 *  `prefix` and a number. */
export function keysByShard(names: readonly string[], keysAShard: number, prefix: string): string[][] {
  const ring = new Ring(
    { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '{}' },
    names.map((name) => ({ name, weight: 1 })),
  );
  const found: string[][] = names.map(() => []);
  for (let i = 0; found.some(({ length }) => length < keysAShard); i++) {
    const key = Buffer.from(`${prefix}${i}`);
    const keys = found[ring.place(key, 0, key.length)] as string[];
    if (keys.length < keysAShard) keys.push(key.toString());
  }
  return found;
}
