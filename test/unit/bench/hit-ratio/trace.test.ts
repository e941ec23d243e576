import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';

import { parseTrace, readTrace } from '../../../../bench/hit-ratio/trace.ts';

const folder = mkdtempSync(join(tmpdir(), 'trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (text: string): ReturnType<typeof parseTrace> => parseTrace('t', Buffer.from(text));

test('an empty key is the next one never seen, and comments count for nothing', () => {
  const trace = parse('# a comment\n\n\n0\n\n1\n# another\n3\n0\n');
  expect([...trace.requests]).toEqual([0, 1, 0, 2, 1, 3, 0]);
  expect(trace).toMatchObject({ keys: 4, sizes: undefined });
});

test('a size is given once and holds for its key; without one a key counts as 1', () => {
  const trace = parse(' 570\n0\n\n1\n 64 30\n2\n');
  expect([...trace.requests]).toEqual([0, 0, 1, 1, 2, 2]);
  expect([...(trace.sizes ?? [])]).toEqual([570, 1, 64]);
});

test('the last line may lack its end', () => {
  expect([...parse('\n\n1').requests]).toEqual([0, 1, 1]);
  expect(parse('')).toMatchObject({ keys: 0 });
});

test.each([
  ['\n2\n', 'line 2: key 2 comes before 1'],
  ['\n# c\nx\n', 'line 3: wants KEY'],
  ['0 \n', 'line 1: a size is missing'],
  ['0 5 6 7\n', 'line 1: wants KEY'],
  ['\n99999999999\n', 'line 2: a number is too large'],
])('%j is refused with its line', (text, words) => {
  expect(() => parse(text)).toThrow(words);
});

test('a file may be plain or gzip, and lends the trace its name', () => {
  const [plain, packed] = [join(folder, 'web.txt'), join(folder, 'db.txt.gz')];
  writeFileSync(plain, '\n0\n');
  writeFileSync(packed, gzipSync('\n0\n'));
  expect(readTrace(plain)).toMatchObject({ name: 'web', keys: 1 });
  expect(readTrace(packed)).toMatchObject({ name: 'db', keys: 1 });
  writeFileSync(plain, 'oops');
  expect(() => readTrace(plain)).toThrow(`${plain}: line 1`);
});
