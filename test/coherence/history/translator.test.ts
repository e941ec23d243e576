import { expect, it } from 'vitest';

import { Translator } from './translator.ts';

const WORDS = new Map([
  ['127.0.0.1:30001', '127.0.0.1:41001'],
  ['127.0.0.1:30002', '127.0.0.1:41002'],
]);
const SAID = '-MOVED 7 127.0.0.1:30001\r\n$2\r\nv1\r\n-ASK 9 127.0.0.1:30002\r\n';

it('puts one address in place of the other, wherever what is said is cut', () => {
  for (let cut = 0; cut <= SAID.length; cut++) {
    const translator = new Translator(WORDS);
    const parts = [SAID.slice(0, cut), SAID.slice(cut)].map((part) => translator.take(Buffer.from(part)));
    expect(Buffer.concat(parts).toString()).toBe(
      SAID.replace('127.0.0.1:30001', '127.0.0.1:41001').replace('127.0.0.1:30002', '127.0.0.1:41002'),
    );
  }
});

it('keeps nothing back of whole lines', () => {
  expect(new Translator(WORDS).take(Buffer.from('+OK\r\n')).toString()).toBe('+OK\r\n');
});

it('changes no length', () => {
  expect(() => new Translator(new Map([['a', 'bc']]))).toThrow('length');
});
