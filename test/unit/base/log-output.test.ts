import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LogOutput } from '../../../src/base/log-output.ts';

let folder: string;
let readEnd: number;
let writeEnd: number;

/** A pipe as a container's stdout is one: who writes waits while nobody reads. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nearcache-log-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  writeEnd = openSync(path, constants.O_WRONLY);
});

afterEach(() => {
  vi.useRealTimers();
  closeSync(writeEnd);
  closeSync(readEnd);
  rmSync(folder, { recursive: true });
});

/** All that has come, and comes until nothing came for a while. */
async function readAll(quietMs = 300): Promise<string> {
  let text = '';
  const chunk = Buffer.alloc(65_536);
  for (let lastAt = performance.now(); performance.now() - lastAt < quietMs; ) {
    const size = readSome(chunk);
    if (size > 0) lastAt = performance.now();
    else await delay(2);
    text += chunk.toString('latin1', 0, size);
  }
  return text;
}

async function readNext(): Promise<string> {
  const chunk = Buffer.alloc(1000);
  for (;;) {
    const size = readSome(chunk);
    if (size > 0) return chunk.toString('latin1', 0, size);
    await nextTurn();
  }
}

function readSome(chunk: Buffer): number {
  try {
    return readSync(readEnd, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

test('every line comes, once and in order, whether alone or in a crowd', async () => {
  const output = new LogOutput(writeEnd, () => {});
  const lines = Array.from({ length: 500 }, (_, i) => `line ${i} ${'x'.repeat((i * 37) % 400)}\n`);
  const came = readAll();
  for (const [i, line] of lines.entries()) {
    output.write(line);
    if (i % 50 === 0) await delay(i === 100 ? 150 : 1);
  }
  expect(await came).toBe(lines.join(''));
});

test('the first line leaves at once, those right behind it together', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const output = new LogOutput(writeEnd, () => {});
  output.write('first\n');
  output.write('second\n');
  output.write('third\n');
  expect(await readNext()).toBe('first\n');
  vi.advanceTimersByTime(99);
  // The timers of the promises are real.
  await delay(50);
  expect(readSome(Buffer.alloc(100))).toBe(0);
  vi.advanceTimersByTime(1);
  expect(await readNext()).toBe('second\nthird\n');
});

test('while nobody reads, what is kept is bounded, and dropped lines are counted', async () => {
  let dropped = 0;
  const output = new LogOutput(writeEnd, (count) => {
    dropped += count;
  });
  const line = `${'x'.repeat(99)}\n`;
  const written = 40_000;
  for (let i = 0; i < written; i++) output.write(line);
  const came = (await readAll()).length / line.length;
  // One MB is kept; a pipe takes 64 KB.
  expect(came).toBeGreaterThan(10_000);
  expect(came).toBeLessThan(13_000);
  expect(dropped).toBe(written - came);
  output.write('last\n');
  expect(await readAll()).toBe('last\n');
});

const file = JSON.stringify(fileURLToPath(new URL('../../../src/base/log-output.ts', import.meta.url)));

/** A process whose stdout, a log, goes to `log`: a descriptor, or what `spawnSync` takes. */
function runLogging(log: number | 'pipe', script: string) {
  const start = `import { LogOutput } from ${file}; const log = new LogOutput(1, () => {});`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', start + script], {
    stdio: ['ignore', log, 'pipe'],
    timeout: 20_000,
    encoding: 'utf8',
  });
}

test.each(['', 'process.exit(0)', 'throw new Error("unforeseen")'])(
  'what a process wrote last comes, however it ends: %s',
  (end) => {
    const { stdout } = runLogging('pipe', `log.write('a\\n'); log.write('b\\n'); ${end}`);
    // What is on its way when the process ends at once may come last.
    expect(stdout.split('\n').toSorted().join('')).toBe('ab');
  },
);

test.each(['', 'process.exit(0)'])('a full disk stops nothing, not even the end: %s', (end) => {
  const full = openSync('/dev/full', 'w');
  const script = `for (const text of ['a', 'b', 'c']) {
    log.write(text);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  console.error('went on');
  ${end}`;
  const { stderr, status } = runLogging(full, script);
  closeSync(full);
  expect({ stderr, status }).toEqual({ stderr: 'went on\n', status: 0 });
});
