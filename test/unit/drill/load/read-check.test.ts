import { beforeEach, describe, expect, test } from 'vitest';

import { Ledger } from '../../../../src/drill/load/ledger.ts';
import { Life } from '../../../../src/drill/load/life.ts';
import { ReadCheck } from '../../../../src/drill/load/read-check.ts';

let ledger: Ledger;
let life: Life;
let awaySince: number | undefined;
let check: ReadCheck;

beforeEach(() => {
  ledger = new Ledger();
  life = new Life('k');
  awaySince = undefined;
  check = new ReadCheck(ledger, 1000, () => awaySince);
  // Written at 0, 2000 and 4000.
  for (const at of [0, 2000, 4000]) {
    life.next();
    life.acknowledge(at);
  }
});

function foreign(from: number, version: number, seen = new WeakMap<Life, number>()): void {
  const reply = version === 0 ? null : life.valueOf(version);
  check.foreign({ life, shard: 's', from, to: from + 1 }, seen, reply);
}

describe('a read of a key written through nearcache', () => {
  test('may show what was acknowledged before it was sent, or newer', () => {
    check.own(life, 2, life.valueOf(2));
    check.own(life, 2, life.valueOf(3));
    check.own(life, 0, null);
    expect([ledger.wrong, ledger.stale]).toEqual([[], []]);
  });

  test('is stale when it shows an older write or nothing', () => {
    check.own(life, 2, life.valueOf(1));
    check.own(life, 2, null);
    expect(ledger.stale).toHaveLength(2);
  });

  test('is stale even while the shard is away', () => {
    awaySince = 0;
    check.own(life, 2, life.valueOf(1));
    expect(ledger.stale).toHaveLength(1);
  });

  test('is wrong when nobody wrote that, even where data was lost', () => {
    life.isLost = true;
    check.own(life, 0, new Life('j').valueOf(1));
    expect(ledger.wrong).toHaveLength(1);
  });

  test('may show anything that was written once data was lost', () => {
    life.isLost = true;
    check.own(life, 3, life.valueOf(1));
    check.own(life, 3, null);
    expect([ledger.wrong, ledger.stale]).toEqual([[], []]);
  });
});

describe('a read of a key written past nearcache', () => {
  test('may be as old as the bound, and no older', () => {
    foreign(2999, 1);
    expect(ledger.stale).toEqual([]);
    foreign(3000, 1);
    expect(ledger.stale).toHaveLength(1);
  });

  test('may, while the shard is away, be as old as when it went', () => {
    awaySince = 2500;
    foreign(10_000, 1);
    expect(ledger.stale).toEqual([]);
    awaySince = 3000;
    foreign(10_000, 1);
    expect(ledger.stale).toHaveLength(1);
  });

  test('is never older than what the same connection has seen', () => {
    const seen = new WeakMap<Life, number>();
    awaySince = 0;
    foreign(4000, 3, seen);
    foreign(4001, 3, seen);
    foreign(4002, 2);
    expect(ledger.stale).toEqual([]);
    foreign(4003, 2, seen);
    expect(ledger.stale).toHaveLength(1);
  });
});
