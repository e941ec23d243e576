import { describe, expect, it } from 'vitest';

import { checkRegister } from './checker.ts';
import { PRESENT, type Read, type RegisterHistory, type Token, type Write } from './history.ts';

const STALENESS_MS = 100;

/** A history made by hand. Times are ms; connection 0 is outside, all others are through nearcache. */
class Tale {
  readonly register: RegisterHistory = {
    name: 'k',
    isCounter: false,
    mayVanish: false,
    writes: [],
    reads: [],
    unknown: [],
    proofs: [],
  };
  #order = 0;

  constructor(kind: { isCounter?: boolean; mayVanish?: boolean } = {}) {
    Object.assign(this.register, kind);
  }

  write(version: number, from: number, to: number, facts: Partial<Write> = {}): this {
    const connection = facts.connection ?? 1;
    const via = connection === 0 ? 'outside' : 'proxy';
    const token = `v${version}`;
    const operation = {
      start: from,
      end: to,
      connection,
      order: ++this.#order,
      via,
      command: 'SET',
    } as const;
    this.register.writes.push({ ...operation, version, token, ...facts });
    return this;
  }

  read(token: Token, from: number, to: number, connection = 2, facts: Partial<Read> = {}): this {
    const operation = {
      start: from,
      end: to,
      connection,
      order: ++this.#order,
      via: 'proxy',
      command: 'GET',
    } as const;
    this.register.reads.push({ ...operation, token, isHit: false, ...facts });
    return this;
  }

  get rules(): string[] {
    return checkRegister(this.register, STALENESS_MS).violations.map(({ rule }) => rule);
  }
}

describe('a history without fault', () => {
  it('may show either value while a write is on its way', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20);
    expect(tale.read('v1', 11, 12).read('v2', 13, 14).rules).toEqual([]);
  });

  it('may show a value that was overwritten outside, for as long as staleness is allowed', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0 });
    expect(tale.read('v1', 119, 121).rules).toEqual([]);
  });

  it('may show two connections different values at the same time', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0 });
    expect(tale.read('v2', 30, 40, 2).read('v1', 31, 41, 3).rules).toEqual([]);
  });

  it('may have written or not what was never answered', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, Infinity);
    expect(tale.read('v1', 500, 501, 2).read('v2', 600, 601, 2).rules).toEqual([]);
  });

  it('begins with no value', () => {
    expect(new Tale().read(null, 0, 1).rules).toEqual([]);
  });

  it('may show the same token again when it was written again', () => {
    const tale = new Tale()
      .write(1, 0, 1)
      .write(2, 10, 11, { token: null })
      .write(3, 20, 21, { token: 'v1' });
    expect(tale.read('v1', 5, 6).read(null, 15, 16).read('v1', 25, 26).rules).toEqual([]);
  });

  it('may lose a value that Redis is free to evict', () => {
    const tale = new Tale({ mayVanish: true }).write(1, 0, 1);
    expect(tale.read('v1', 5, 6).read(null, 15, 16).rules).toEqual([]);
  });
});

describe('a violation', () => {
  it('of I1 is a value older than what was acknowledged to any session before', () => {
    expect(new Tale().write(1, 0, 1).write(2, 10, 20).read('v1', 21, 22).rules).toEqual(['I1']);
  });

  it('of I1p is a pipelined read older than the write before it on the same connection', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 5 });
    expect(tale.read('v1', 10, 21, 5).rules).toEqual(['I1p']);
  });

  it('of I2 is a value that was overwritten outside longer ago than staleness allows', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0 });
    expect(tale.read('v1', 121, 122).rules).toEqual(['I2']);
  });

  it('of I2 is a missing key that was made longer ago than staleness allows', () => {
    expect(new Tale().write(1, 0, 1, { connection: 0 }).read(null, 102, 103).rules).toEqual(['I2']);
  });

  it('of I2 is a key that was deleted longer ago than staleness allows', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0, token: null });
    expect(tale.read('v1', 121, 122).read(PRESENT, 121, 122, 3).rules).toEqual(['I2', 'I2']);
  });

  it('of I3 is a connection that sees an older value than before', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0 });
    // Pipelined: the second read was sent before the first was answered, so only the connection's order tells.
    expect(tale.read('v2', 30, 40).read('v1', 30, 40).rules).toEqual(['I3']);
  });

  it("of I3' is a read that begins after another has ended and is older", () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0 });
    expect(tale.read('v2', 30, 40, 2).read('v1', 41, 42, 3).rules).toEqual(["I3'"]);
  });

  it('of I5 is a value that is shown after its expiry', () => {
    const tale = new Tale().write(1, 0, 1, { livesMs: 50 });
    expect(tale.read('v1', 40, 41).read('v1', 60, 61).rules).toEqual(['I5']);
  });

  it('of what may be read is a value that nobody has written', () => {
    expect(new Tale().write(1, 0, 1).read('v9', 5, 6).rules).toEqual(['phantom']);
  });

  it('of what may be read is a value that is written only later', () => {
    expect(new Tale().write(1, 50, 51).read('v1', 5, 6).rules).toEqual(['phantom']);
  });

  it('of what may be read is a missing key that nobody has deleted', () => {
    expect(new Tale().write(1, 0, 1).read(null, 5, 6).rules).toEqual(['I1']);
  });

  it('is found behind a read that is allowed to be old', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0 }).write(3, 30, 40);
    expect(tale.read('v2', 35, 36, 2).read('v2', 41, 42, 3).rules).toEqual(['I1']);
  });
});

describe('an expiry', () => {
  it('may take the value away, though not before its time', () => {
    const tale = new Tale().write(1, 0, 1, { livesMs: 50 });
    expect(tale.read(null, 48, 52).rules).toEqual([]);
    expect(new Tale().write(1, 0, 1, { livesMs: 50 }).read(null, 20, 21).rules).toEqual(['I1']);
  });

  it('counts for the life that a later write gave the same value', () => {
    const tale = new Tale().write(1, 0, 1, { livesMs: 50 }).write(2, 30, 31, { token: 'v1', livesMs: 100 });
    expect(tale.read('v1', 80, 81).read('v1', 140, 141).rules).toEqual(['I5']);
  });

  it('does not bring a value back', () => {
    const tale = new Tale().write(1, 0, 1, { livesMs: 50 });
    expect(tale.read(null, 49, 53).read('v1', 49, 53).rules).toEqual(['I3']);
  });

  it('of a value that was overwritten before never happened', () => {
    const tale = new Tale().write(1, 0, 1, { livesMs: 50 }).write(2, 10, 11, { connection: 0 });
    expect(tale.read(null, 55, 56).rules).toEqual(['I1']);
  });
});

describe('a counter', () => {
  it('may show a version whose writer had no answer, as many as there are such writers', () => {
    const tale = new Tale({ isCounter: true }).write(1, 0, 1, { token: '1' });
    tale.register.unknown.push(10);
    expect(tale.read('2', 20, 21).rules).toEqual([]);
    expect(tale.read('3', 30, 31).rules).toEqual(['phantom']);
  });

  it('may not show such a version before its writer began', () => {
    const tale = new Tale({ isCounter: true }).write(1, 0, 1, { token: '1' });
    tale.register.unknown.push(10);
    expect(tale.read('2', 5, 6).rules).toEqual(['phantom']);
  });
});

describe('what was measured', () => {
  it('is how many hits there were, and how many of them of values that were written outside', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0 });
    tale.read('v1', 5, 6, 2, { isHit: true }).read('v2', 30, 31, 2, { isHit: true }).read('v2', 40, 41);
    expect(checkRegister(tale.register, STALENESS_MS)).toMatchObject({ hits: 2, hitsOnOutsideWrites: 1 });
  });

  it('is how far the reads lagged behind', () => {
    const tale = new Tale().write(1, 0, 1).write(2, 10, 20, { connection: 0 }).read('v1', 63, 64);
    expect(checkRegister(tale.register, STALENESS_MS).behindMs).toBe(43);
  });
});
