import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';

import { Worker } from '../../../bench/worker.ts';

const folder = mkdtempSync(join(tmpdir(), 'worker-'));
afterAll(() => rmSync(folder, { recursive: true }));

const program = pathToFileURL(join(folder, 'program.ts'));
const source = new URL('../../../bench/worker.ts', import.meta.url).pathname;
writeFileSync(
  program,
  `import { answer, collectGarbage, workerInput } from '${source}';
   answer({
     input: workerInput,
     pid: async () => { await collectGarbage(); return process.pid; },
     end: () => process.exit(3),
   });`,
);

test('a worker answers from a process of its own, with what it was given', async () => {
  const worker = new Worker(program, { limit: 7 });
  expect(await worker.ask('input')).toEqual({ limit: 7 });
  expect(await worker.ask('pid')).toBe(worker.pid);
  expect(worker.pid).not.toBe(process.pid);
  await worker.stop();
});

test('a worker that ends fails the question, and stopping it again is fine', async () => {
  const worker = new Worker(program, {});
  await expect(worker.ask('end')).rejects.toThrow('the process for "end" ended (3)');
  await worker.stop();
});
