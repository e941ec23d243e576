import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { ReplyChecker } from '../../../../bench/load/reply-checker.ts';

const reply = Buffer.from('$3\r\nabc\r\n');

test('replies are counted whatever the chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }), (sizes) => {
      const stream = Buffer.concat(Array.from({ length: 40 }, () => reply));
      const checker = new ReplyChecker(reply);
      let [fed, counted] = [0, 0];
      for (const size of sizes) {
        counted += checker.feed(stream.subarray(fed, fed + size));
        fed = Math.min(stream.length, fed + size);
        expect(counted).toBe(Math.floor(fed / reply.length));
      }
    }),
  );
});

test('one wrong byte is an error that shows it', () => {
  const checker = new ReplyChecker(reply);
  checker.feed(reply.subarray(0, 5));
  expect(() => checker.feed(Buffer.from('bX\r\n'))).toThrow(/unexpected reply: "bX/);
});

test('an error reply is not taken for an answer', () => {
  expect(() => new ReplyChecker(reply).feed(Buffer.from('-ERR no\r\n'))).toThrow('-ERR no');
});
