// A test that cannot fail proves nothing: here each rule of coherence is taken away in a copy of this project, and the tests that
// stand for it must go red. When the code changes, the edits have to follow it: one that no longer fits is a failure, too.
import { afterAll, expect, test } from 'vitest';

import { Laboratory } from './laboratory.ts';
import { type Killer, type Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** Copies at work at a time. */
const LANES = 2;
/** Of one test, which waits for a copy and may run several killers; the laboratory ends what hangs. */
const TIME_LIMIT_MS = 3_600_000;

const laboratories = Array.from({ length: LANES }, (_, lane) => new Laboratory(lane));
const free = [...laboratories];
const waiting: ((laboratory: Laboratory) => void)[] = [];

afterAll(() => {
  for (const laboratory of laboratories) laboratory.remove();
});

/** Run `work` in the next copy that nobody uses. */
async function inLaboratory<T>(work: (laboratory: Laboratory) => Promise<T>): Promise<T> {
  const laboratory = free.pop() ?? (await new Promise<Laboratory>((resolve) => waiting.push(resolve)));
  try {
    return await work(laboratory);
  } finally {
    const next = waiting.shift();
    if (next === undefined) free.push(laboratory);
    else next(laboratory);
  }
}

/** All killers, each file once. */
function allKillers(mutants: readonly Mutant[]): Killer[] {
  const titles = new Map<string, Set<string>>();
  for (const { file, titles: wanted = [''] } of mutants.flatMap(({ killers }) => killers)) {
    titles.set(file, new Set([...(titles.get(file) ?? []), ...wanted]));
  }
  return [...titles].map(([file, wanted]) => (wanted.has('') ? { file } : { file, titles: [...wanted] }));
}

test.concurrent.each(allKillers(MUTANTS).map((killer) => [killer.file, killer] as const))(
  'with all rules in force, the killers in %s pass',
  async (_, killer) => {
    const fate = await inLaboratory((laboratory) => laboratory.run(killer));
    expect(fate.kind, JSON.stringify(fate)).toBe('survived');
  },
  TIME_LIMIT_MS,
);

test.concurrent.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  'noticed: %s',
  async (_, mutant) => {
    const fate = await inLaboratory((laboratory) => laboratory.try(mutant));
    expect(fate.kind, JSON.stringify(fate)).toBe('killed');
  },
  TIME_LIMIT_MS,
);
