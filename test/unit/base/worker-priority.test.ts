import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, expect, it } from 'vitest';

import { lowerGarbageCollectors } from '../../../src/base/worker-priority.ts';

/** Shape: name → priorities of the threads of that name. */
function threads(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const task of readdirSync('/proc/self/task')) {
    const name = readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim();
    found.set(name, [...(found.get(name) ?? []), getPriority(Number(task))]);
  }
  return found;
}

describe('lowerGarbageCollectors', () => {
  it.runIf(process.platform === 'linux')('lowers V8’s own threads and no others', () => {
    const before = threads();
    const lowered = lowerGarbageCollectors();
    expect(lowered).toBeGreaterThan(0);
    for (const [name, priorities] of threads()) {
      expect([name, priorities]).toEqual([
        name,
        name.includes('V8Worker') ? priorities.map(() => 10) : before.get(name),
      ]);
    }
  });
});
