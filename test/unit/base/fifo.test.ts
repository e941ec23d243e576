import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Fifo } from '../../../src/base/fifo.ts';

describe('Fifo', () => {
  it('gives back what was pushed, first in first out', () => {
    const fifo = new Fifo<string>();
    for (const item of ['a', 'b', 'c']) fifo.push(item);
    expect([fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift()]).toEqual(['a', 'b', 'c', undefined]);
  });

  it('shows the head without taking it', () => {
    const fifo = new Fifo<string>();
    expect(fifo.peek()).toBeUndefined();
    fifo.push('a');
    expect(fifo.peek()).toBe('a');
    expect(fifo.length).toBe(1);
  });

  it('keeps its order while it grows around the end of its ring', () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 16; i++) fifo.push(i);
    for (let i = 0; i < 10; i++) fifo.shift();
    for (let i = 16; i < 40; i++) fifo.push(i);
    expect(Array.from({ length: fifo.length }, (_, index) => fifo.at(index))).toEqual(
      Array.from({ length: 30 }, (_, index) => index + 10),
    );
    expect(fifo.at(30)).toBeUndefined();
  });

  it('is an array with push and shift, whatever is done', () => {
    const action = fc.oneof(fc.constant('shift' as const), fc.nat());
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        for (const next of actions) {
          if (next === 'shift') expect(fifo.shift()).toBe(model.shift());
          else {
            fifo.push(next);
            model.push(next);
          }
          expect(fifo.length).toBe(model.length);
          expect(fifo.peek()).toBe(model[0]);
          expect(fifo.at(model.length >> 1)).toBe(model[model.length >> 1]);
        }
      }),
      { interruptAfterTimeLimit: 2000 },
    );
  });
});
