// Trying all mutants takes minutes; that the edits still fit the source is seen at once.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { edited } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('fits the source: %s', (_, { edits }) => {
  const texts = new Map(edits.map(({ file }) => [file, readFileSync(file, 'utf8')]));
  for (const edit of edits) texts.set(edit.file, edited(texts.get(edit.file) as string, edit));
  for (const { file } of edits) expect(texts.get(file)).not.toBe(readFileSync(file, 'utf8'));
});
