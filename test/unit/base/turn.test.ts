import { setImmediate as nextCheck } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { atEndOfNextTurn, atEndOfTurn, type EndOfTurn } from '../../../src/base/turn.ts';

class Item implements EndOfTurn {
  isListed = false;
  readonly #run: () => void;

  constructor(run: () => void) {
    this.#run = run;
  }

  endTurn(): void {
    this.#run();
  }
}

describe('the end of a turn', () => {
  it('calls an item once, however often it was listed', async () => {
    let calls = 0;
    const item = new Item(() => calls++);
    atEndOfTurn(item);
    atEndOfTurn(item);
    expect(calls).toBe(0);
    await nextCheck();
    expect(calls).toBe(1);
    await nextCheck();
    expect(calls).toBe(1);
  });

  it('calls items in the order in which they were listed', async () => {
    const order: string[] = [];
    for (const name of ['a', 'b', 'c']) atEndOfTurn(new Item(() => order.push(name)));
    await nextCheck();
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('calls an item again that lists itself while it is called', async () => {
    let calls = 0;
    const item: Item = new Item(() => {
      calls++;
      if (calls < 3) atEndOfTurn(item);
    });
    atEndOfTurn(item);
    for (let i = 0; i < 5; i++) await nextCheck();
    expect(calls).toBe(3);
    expect(item.isListed).toBe(false);
  });

  it('lets what goes to Redis wait one turn longer than what goes to apps', async () => {
    const order: string[] = [];
    atEndOfNextTurn(new Item(() => order.push('to Redis')));
    atEndOfTurn(new Item(() => order.push('to an app')));
    await nextCheck();
    expect(order).toEqual(['to an app']);
    await nextCheck();
    expect(order).toEqual(['to an app', 'to Redis']);
  });
});
