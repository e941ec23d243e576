import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { AnswerReader, errorKind, outcomeOf, replyEnd } from '../../../../bench/pause/answer-reader.ts';

const VALUE = '$5\r\na\r\nbc\r\n';
const REPLIES = ['+OK\r\n', VALUE, '$-1\r\n', '-ERR no\r\n', '$0\r\n\r\n'];

test('replies are told apart, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...REPLIES), { maxLength: 8 }),
      fc.array(fc.nat(60), { maxLength: 6 }),
      (replies, cuts) => {
        const stream = Buffer.from(replies.join(''));
        const edges = [
          0,
          ...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b),
          stream.length,
        ];
        const reader = new AnswerReader();
        const found: string[] = [];
        for (let i = 1; i < edges.length; i++) {
          reader.feed(stream.subarray(edges[i - 1], edges[i]), (reply) => found.push(reply.toString()));
        }
        expect(found).toEqual(replies);
      },
    ),
  );
});

test('a reply that is not all here has no end', () => {
  for (let cut = 0; cut < VALUE.length; cut++) expect(replyEnd(Buffer.from(VALUE.slice(0, cut)), 0)).toBe(0);
  expect(replyEnd(Buffer.from(VALUE), 0)).toBe(VALUE.length);
});

test('an error says whether the command was sent, and any other reply than the right one is wrong', () => {
  const [expected, of] = [Buffer.from(VALUE), (reply: string) => outcomeOf(Buffer.from(reply), expected)];
  expect(of(VALUE)).toBe('right');
  expect(of('-ERR nearcache: shard a is away (why); … the command was not sent, try again\r\n')).toBe(
    'refused',
  );
  expect(of('-ERR nearcache: shard a did not answer within 5 ms; outcome unknown\r\n')).toBe('failed');
  expect(['$5\r\nwrong\r\n', '$-1\r\n', '+OK\r\n'].map(of)).toEqual(['wrong', 'wrong', 'wrong']);
});

test('errors of one kind are counted together', () => {
  const [a, b] = ['-ERR within 5 ms\r\n', '-ERR within 70 ms\r\n'].map((line) =>
    errorKind(Buffer.from(line)),
  );
  expect(a).toBe('ERR within … ms');
  expect(a).toBe(b);
});
