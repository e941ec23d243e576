import { expect, test } from 'vitest';

import { EntryStream } from '../../../../bench/memory/entry-stream.ts';

const keyOf = (stream: EntryStream): string =>
  stream.id.bytes.latin1Slice(stream.id.keyStart, stream.id.keyEnd);

test('a number always names the same key, and no two numbers the same', () => {
  const stream = new EntryStream(1);
  const keys = Array.from({ length: 1_000 }, (_, number) => {
    stream.name(number);
    return keyOf(stream);
  });
  expect(new Set(keys).size).toBe(1_000);
  stream.name(17);
  expect(keyOf(stream)).toBe(keys[17]);
  const lengths = keys.map(({ length }) => length);
  expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([16, 56]);
});

test('values lie within their source', () => {
  const stream = new EntryStream(1);
  for (let i = 0; i < 10_000; i++) {
    stream.drawValue();
    if (stream.start < 0 || stream.end <= stream.start || stream.end > stream.source.length) {
      throw new Error(`${stream.start} to ${stream.end}`);
    }
  }
});
