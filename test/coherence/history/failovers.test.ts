import { beforeEach, describe, expect, it } from 'vitest';

import { checkRegister, type Findings } from './checker.ts';
import type { Failover, RegisterHistory } from './history.ts';

const STALENESS_MS = 100;
const FAILOVER: Failover = { promotedAt: 1000, knownAt: 1200 };

let register: RegisterHistory;
let order: number;

beforeEach(() => {
  register = {
    name: 'k',
    isCounter: false,
    mayVanish: false,
    writes: [],
    reads: [],
    unknown: [],
    proofs: [],
  };
  order = 0;
});

function write(version: number, at: number, undoneBy?: Failover): void {
  const operation = {
    start: at,
    end: at + 1,
    connection: 1,
    order: ++order,
    via: 'proxy',
    command: 'SET',
  } as const;
  register.writes.push({ ...operation, version, token: `v${version}`, undoneBy });
}

function read(token: string, at: number, connection = 2): void {
  const operation = {
    start: at,
    end: at + 1,
    connection,
    order: ++order,
    via: 'proxy',
    command: 'GET',
  } as const;
  register.reads.push({ ...operation, token, isHit: true });
}

/** The new primary is read. */
function prove(token: string, at: number): void {
  register.proofs.push({ start: at, end: at + 1, token, failover: FAILOVER });
}

function findings(): Findings {
  return checkRegister(register, STALENESS_MS, [FAILOVER]);
}

function rules(): string[] {
  return findings().violations.map(({ rule }) => rule);
}

describe('an acknowledged write that the new primary has not', () => {
  beforeEach(() => {
    write(1, 0);
    write(2, 900);
    prove('v1', 1010);
  });

  it('is gone for who reads after the promotion, whatever was read before', () => {
    read('v2', 950);
    read('v1', 1020);
    expect(rules()).toEqual([]);
    expect(findings().lostWrites).toBe(1);
  });

  it('was not gone before the promotion', () => {
    read('v1', 990);
    expect(rules()).toEqual(['I1']);
  });

  it('may be shown until D after all know of the new primary, which is measured', () => {
    read('v2', 1299);
    expect(rules()).toEqual([]);
    expect(findings().oldTimeMs).toBe(299);
    read('v2', 1302);
    expect(rules()).toEqual(['FO']);
  });
});

it('an acknowledged write that the new primary has shown is not excused', () => {
  write(1, 0);
  write(2, 900);
  prove('v2', 1010);
  read('v1', 1020);
  expect(rules()).toEqual(['I1, I2']);
  expect(findings().lostWrites).toBe(0);
});

it('a write at the old primary after the promotion binds nobody', () => {
  write(1, 0);
  write(2, 1050, FAILOVER);
  read('v1', 1400);
  expect(rules()).toEqual([]);
});

it('what is written at the new primary is seen at the latest D after all know of it', () => {
  write(1, 0);
  write(2, 1050);
  register.writes[1] = { ...register.writes[1]!, via: 'outside' };
  prove('v2', 1060);
  read('v1', 1290);
  expect(rules()).toEqual([]);
  read('v1', 1320, 3);
  expect(rules()).toEqual(['I2']);
});
