// `nearcache drill` as a person runs it.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { DrillRecord } from '../../src/drill/record.ts';
import { hasPassed } from '../../src/drill/report/outcome.ts';
import { type ProgramResult, runProgram } from '../support/program.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'nearcache-drill-test-'));
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function drill(...args: readonly string[]): Promise<ProgramResult> {
  return runProgram(process.execPath, ['src/main.ts', 'drill', ...args]);
}

test('an unknown scenario is a mistake that names the known ones', async () => {
  const { code, stdout, stderr } = await drill('blackhol', '--seconds', '1');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/no such scenario: "blackhol"; did you mean blackhole\?; accepted: all, stop, kill/);
  expect(stderr).toMatch(/--seconds: "1" is not accepted; accepted: from 4 on/);
});

test('--list prints every scenario with what it does', async () => {
  const { code, stdout } = await drill('--list');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^pause-writes +A shard holds writes back for 3 s/m);
  expect(stdout.trim().split('\n')).toHaveLength(14);
});

test('a drill prints its verdicts, writes what was asked for, and its exit code says whether all was kept', async () => {
  const [json, report] = [join(dir, 'drill.json'), join(dir, 'drill.html')];
  const flags = ['--seconds', '4', '--rate', '300', '--shards', '2', '--backend', 'process'];
  const { code, stdout } = await drill('oom', ...flags, '--json', json, '--report', report);
  const records = JSON.parse(readFileSync(json, 'utf8')) as DrillRecord[];
  expect(records.map(({ scenario, backend }) => [scenario, backend])).toEqual([['oom', 'process']]);
  expect(code).toBe(records.every(hasPassed) ? 0 : 1);
  expect(stdout).toMatch(/^servers: processes, as asked for/);
  expect(stdout).toContain('shard1 full');
  expect(stdout).toMatch(/wrong or cross-wired replies +0 +allowed 0/);
  expect(existsSync(report)).toBe(true);
  expect(readFileSync(report, 'utf8')).toContain('oom');
});

test('containers that are asked for and not to be had are an error that says why', async () => {
  const { code, stderr } = await drill(
    'kill',
    '--backend',
    'container',
    '--image',
    'nearcache.invalid/none:0',
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /containers are not to be had here: (no Docker engine answers|the engine has no image)/,
  );
});
