import { assert, integer, nat, pre, property } from 'fast-check';
import { expect, it } from 'vitest';

import { Random } from '../../fuzz/random.ts';
import { checkRegister } from './checker.ts';
import type { Interval, Read, RegisterHistory, Via, Write } from './history.ts';

const STALENESS_MS = 50;

/** A history that a correct near-cache could have produced: one view of the register that never goes back, that has every write
 *  through the proxy once that is acknowledged, and every other one before staleness ends. */
function correctHistory(random: Random): RegisterHistory {
  const writes: Write[] = [];
  const reads: Read[] = [];
  let [now, written, seen, order] = [0, 0, 0, 0];
  const last = new Map<number, Interval>();
  // On one connection requests are sent one after another, and replies come in their order.
  const around = (connection: number): Interval => {
    const before = last.get(connection) ?? { start: 0, end: 0 };
    const start = Math.max(before.start, now - random.next() * 5);
    const interval = { start, end: Math.max(before.end, now + random.next() * 5) };
    last.set(connection, interval);
    return interval;
  };
  for (let i = random.int(5, 80); i > 0; i--) {
    now += random.next() * 20;
    const overdue = writes.findLast(({ via, end }) => via === 'proxy' || end < now - STALENESS_MS + 5);
    seen = Math.max(seen, overdue?.version ?? 0, random.int(seen, written));
    const via: Via = random.chance(0.85) ? 'proxy' : 'outside';
    const connection = via === 'proxy' ? random.int(1, 3) : 0;
    const operation = { ...around(connection), connection, order: ++order, via, command: 'X' };
    if (via === 'outside' || random.chance(0.2)) {
      const version = ++written;
      writes.push({ ...operation, version, token: `v${version}` });
    } else {
      reads.push({ ...operation, token: seen === 0 ? null : `v${seen}`, isHit: true });
    }
  }
  return { name: 'k', isCounter: false, mayVanish: false, writes, reads, unknown: [], proofs: [] };
}

const histories = integer({ min: 1, max: 2 ** 31 }).map((seed) => correctHistory(new Random(seed)));

it('accepts every history of a correct near-cache', () => {
  assert(
    property(histories, (history) => {
      expect(checkRegister(history, STALENESS_MS).violations).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

it('refuses it as soon as one read shows what was overwritten too long ago', () => {
  assert(
    property(histories, nat(), (history, which) => {
      const wrong = history.reads.flatMap((read, at) => {
        const required = history.writes.findLast(({ end }) => end < read.start - STALENESS_MS);
        return required === undefined || required.version < 2 ? [] : [{ at, version: required.version - 1 }];
      });
      pre(wrong.length > 0);
      const { at, version } = wrong[which % wrong.length] as (typeof wrong)[number];
      const reads = history.reads.with(at, { ...(history.reads[at] as Read), token: `v${version}` });
      expect(checkRegister({ ...history, reads }, STALENESS_MS).violations).not.toEqual([]);
    }),
    { numRuns: 500 },
  );
});
