import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ReplyQueue } from '../../../src/session/reply-queue.ts';
import { Slot, type SlotOwner } from '../../../src/session/slot.ts';

/** Slots of a queue are never asked for anything here. */
const owner = {} as SlotOwner;

describe('ReplyQueue', () => {
  it('has no head when it is empty, and bears being shifted', () => {
    const queue = new ReplyQueue();
    queue.shift();
    expect(queue.head).toBeUndefined();
    expect(queue.length).toBe(0);
  });

  it('has the oldest slot at its head', () => {
    const queue = new ReplyQueue();
    const [first, second] = [new Slot(owner), new Slot(owner)];
    queue.push(first);
    queue.push(second);
    expect(queue.head).toBe(first);
    queue.shift();
    expect(queue.head).toBe(second);
  });

  it('takes slots again after it was empty', () => {
    const queue = new ReplyQueue();
    queue.push(new Slot(owner));
    queue.shift();
    const slot = new Slot(owner);
    queue.push(slot);
    expect([queue.head, queue.length]).toEqual([slot, 1]);
  });

  it('is an array with push and shift, whatever is done', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 100 }), (pushes) => {
        const queue = new ReplyQueue();
        const model: Slot[] = [];
        for (const isPush of pushes) {
          if (isPush) {
            const slot = new Slot(owner);
            queue.push(slot);
            model.push(slot);
          } else {
            queue.shift();
            model.shift();
          }
          expect(queue.length).toBe(model.length);
          expect(queue.head).toBe(model[0]);
        }
      }),
      { interruptAfterTimeLimit: 1000 },
    );
  });
});
