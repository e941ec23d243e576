import { describe, expect, test } from 'vitest';

import { type FailedRequest, Ledger } from '../../../src/drill/load/ledger.ts';
import { type DrillFacts, judge, type PromiseName } from '../../../src/drill/promises.ts';
import type { BreakerState, DrillSample, DrillVerdict } from '../../../src/drill/record.ts';

const write = { kind: 'own', shard: 'a', isWrite: true } as const;
const hotRead = { kind: 'hot', shard: 'a', isWrite: false } as const;

/** A shard that was hurt at 1000 and whole at 3000, in a drill without a flaw. */
function facts(change: Partial<DrillFacts> = {}): DrillFacts {
  const ledger = new Ledger();
  ledger.began(write);
  ledger.succeeded(write, 4999, 5000);
  return {
    ledger,
    samples: [sampleWith('closed')],
    reads: [{ from: 0, to: 500, reads: 100, hits: 80 }],
    hurt: new Set(['a']),
    hurtFrom: 1000,
    hurtAt: 1010,
    healedAt: 3000,
    unanswered: 0,
    servedOfBefore: 0,
    commandTimeoutMs: 1000,
    maxStalenessMs: 1000,
    linkDeadMs: 1500,
    recoveryMs: 3500,
    ...change,
  };
}

function sampleWith(state: BreakerState): DrillSample {
  const none = { atMs: 0, requests: 0, errors: 0, fastErrors: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
  return { ...none, hits: 0, staleServed: 0, missesServed: 0, breakers: { a: state }, reconnects: 0 };
}

function withErrors(...failed: readonly Partial<FailedRequest>[]): Ledger {
  const { ledger } = facts();
  for (const each of failed) {
    const request = { ...write, text: 'ERR no', at: 2000, ms: 1, ...each };
    ledger.began(request);
    ledger.failedWith(request, request.text, request.at - request.ms, request.at);
  }
  return ledger;
}

function brokenBy(change: Partial<DrillFacts>, ...promises: PromiseName[]): string[] {
  const isBroken = ({ passed }: DrillVerdict): boolean => !passed;
  return judge(facts(change), promises)
    .filter(isBroken)
    .map(({ promise }) => promise);
}

describe('what every drill promises', () => {
  test('is kept by a drill without a flaw', () => {
    expect(brokenBy({})).toEqual([]);
  });

  test('is broken by a single wrong, stale, unanswered or late reply', () => {
    const { ledger } = facts();
    ledger.wrong.push('k: x');
    ledger.stale.push('k: y');
    ledger.closed = 1;
    ledger.longestMs = 2000;
    expect(brokenBy({ ledger, unanswered: 1 })).toEqual([
      'wrong or cross-wired replies',
      'replies older than promised',
      'every request is answered',
      'longest wait',
      'app connections closed',
    ]);
  });

  test('is broken when less than a third of the reads without a fault are hits', () => {
    const reads = [
      { from: 0, to: 500, reads: 100, hits: 30 },
      { from: 1500, to: 2000, reads: 100, hits: 100 },
    ];
    expect(brokenBy({ reads })).toEqual(['near-cache hits, of reads without a fault']);
    expect(brokenBy({ reads: [] })).toEqual(['near-cache hits, of reads without a fault']);
  });

  test('is broken by an error on a hot key, and by one on a shard that was not hurt', () => {
    expect(brokenBy({ ledger: withErrors(hotRead) })).toEqual(['errors on hot cached keys']);
    expect(brokenBy({ ledger: withErrors({ shard: 'b' }) })).toEqual(['errors on keys of the other shards']);
    expect(brokenBy({ ledger: withErrors({}) })).toEqual([]);
  });
});

describe('what an outage promises', () => {
  test('a fast error comes before twice the command time-out is over', () => {
    expect(brokenBy({ ledger: withErrors({ at: 3009, ms: 5 }) }, 'fast fail')).toEqual([]);
    const name = 'first error within 5 ms';
    expect(brokenBy({ ledger: withErrors({ at: 3010, ms: 5 }) }, 'fast fail')).toEqual([name]);
    expect(brokenBy({ ledger: withErrors({ at: 2000, ms: 6 }) }, 'fast fail')).toEqual([name]);
    expect(brokenBy({}, 'fast fail')).toEqual([name]);
  });

  test('the last error comes soon after the shard is whole, and writes succeed after it', () => {
    const name = 'last error after the shard was whole';
    expect(brokenBy({ ledger: withErrors({ at: 4900 }) }, 'recovery')).toEqual([]);
    expect(brokenBy({ ledger: withErrors({ at: 5001 }) }, 'recovery')).toEqual([name]);
    expect(brokenBy({ ledger: withErrors({ at: 4900 }), recoveryMs: 1900 }, 'recovery')).toEqual([name]);
    const late = { ledger: withErrors({ at: 4900 }), recoveryMs: 1000, linkDeadMs: 1000 };
    expect(brokenBy(late, 'recovery by itself')).toEqual([]);
  });

  test('the breakers are known to be closed at the end', () => {
    expect(brokenBy({}, 'breakers closed')).toEqual([]);
    const name = 'all breakers closed at the end';
    expect(brokenBy({ samples: [sampleWith('open')] }, 'breakers closed')).toEqual([name]);
    expect(brokenBy({ samples: [] }, 'breakers closed')).toEqual([name]);
  });
});

describe('what a full Redis promises', () => {
  test('reads go on, and writes are told OOM or that they were not sent', () => {
    const told = withErrors({ text: 'OOM command not allowed' }, { text: 'ERR x; the command was not sent' });
    expect(brokenBy({ ledger: told }, 'reads unharmed', 'writes told of OOM')).toEqual([]);
    const untold = withErrors({ text: 'ERR x; outcome unknown' }, { kind: 'own', isWrite: false });
    expect(brokenBy({ ledger: untold }, 'reads unharmed', 'writes told of OOM')).toEqual([
      'errors on reads',
      'failed writes that were told anything but OOM or "not sent"',
    ]);
    // A Redis that was not full proves nothing.
    expect(brokenBy({}, 'writes told of OOM')).toHaveLength(1);
  });
});

test('what was lost is served no more, and no error means none', () => {
  expect(brokenBy({ servedOfBefore: 1 }, 'nothing of before')).toEqual(['keys still served that were lost']);
  expect(brokenBy({ ledger: withErrors({}) }, 'no errors')).toEqual(['errors']);
});
