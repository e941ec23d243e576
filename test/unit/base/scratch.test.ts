import { expect, test } from 'vitest';

import { OutputBuffer } from '../../../src/base/output-buffer.ts';
import { Scratch } from '../../../src/base/scratch.ts';

function written(out: OutputBuffer): string {
  const pieces: Buffer[] = [];
  out.flushTo({
    corkedWrite: (all) => void pieces.push(...all.map((each) => Buffer.from(each))),
    backlog: 0,
  });
  return Buffer.concat(pieces).toString('latin1');
}

test('what was given back is used again, and what an output buffer put off copying is copied first', () => {
  const scratch = new Scratch();
  const first = scratch.take(3);
  first.buffer.latin1Write('one', 0);
  const out = new OutputBuffer();
  out.append(first.buffer, 0, 3);
  scratch.give(first);
  const second = scratch.take(3);
  expect(second.buffer).toBe(first.buffer);
  second.buffer.latin1Write('two', 0);
  expect(written(out)).toBe('one');
});

test('what was not given back yet stays as it is', () => {
  const scratch = new Scratch();
  const first = scratch.take(3);
  first.buffer.latin1Write('one', 0);
  const second = scratch.take(3);
  second.buffer.latin1Write('two', 0);
  scratch.give(second);
  expect(first.buffer.latin1Slice(0, 3)).toBe('one');
  scratch.give(first);
  expect(scratch.take(3).buffer).toBe(first.buffer);
});

test('more than it has is allocated, and not kept', () => {
  const scratch = new Scratch();
  const large = scratch.take(65_537);
  expect(large.buffer.length).toBeGreaterThanOrEqual(65_537);
  scratch.give(large);
  expect(scratch.take(65_537).buffer).not.toBe(large.buffer);
  expect(scratch.take(1).buffer).toHaveLength(65_536);
});
