import { describe, expect, it } from 'vitest';

import type { Reply } from '../../../src/protocol/reply-parser.ts';
import { KeyMover } from '../../../src/route/key-mover.ts';
import { NO_SOURCE } from '../../../src/route/ring-change.ts';
import { printRecord } from '../../../src/route/ring-record.ts';
import type { Arguments } from '../../../src/route/ring-scripts.ts';
import type { CallFailure } from '../../../src/shard/call.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const record = { id: 'x', seq: 3, state: 'migrating', from: '0f', to: 'f0', method: 'migrate' } as const;

interface Sent {
  readonly request: Arguments;
  readonly db: number;
  answer(reply: Reply, failure?: CallFailure): void;
}

/** Keys that begin with m move from shard a to shard b. */
class Bench {
  readonly clock = new ManualClock();
  readonly sent: Sent[] = [];
  readonly heard: string[] = [];
  rereads = 0;
  line: string = printRecord(record);
  readonly mover: KeyMover;

  constructor() {
    this.mover = new KeyMover({
      change: {
        names: ['a', 'b'],
        placeOf: () => 1,
        sourceOf: (bytes, start) => (bytes[start] === 0x6d ? 0 : NO_SOURCE),
        lineOf: () => this.line,
      },
      clock: this.clock,
      link: () => ({
        send: (request, db, done) => {
          this.sent.push({ request, db, answer: (reply, failure) => done(reply, failure) });
        },
      }),
      target: () => ({ host: 'b.example', port: 6379, user: 'u', password: 'p' }),
      reread: () => this.rereads++,
      knownMax: 100,
    });
  }

  ask(who: string, ...keys: string[]): boolean {
    return this.mover.ready(
      keys.map((key) => ({ key: Buffer.from(key), db: 0 })),
      { wake: () => this.heard.push(who), fail: (problem) => this.heard.push(`${who}: ${problem}`) },
    );
  }
}

const later = (): Promise<void> => Promise.resolve();

describe('moving keys before use', () => {
  it('lets a command pass whose keys stay', () => {
    const bench = new Bench();
    expect(bench.ask('one', 'stays')).toBe(true);
    expect(bench.sent).toEqual([]);
  });

  it('asks the old owner once for all that wait, and never again', async () => {
    const bench = new Bench();
    expect([bench.ask('one', 'm1'), bench.ask('two', 'm1', 'stays')]).toEqual([false, false]);
    await later();
    expect(bench.sent.length).toBe(1);
    expect(bench.heard).toEqual([]);
    bench.sent[0]?.answer('OK');
    expect(bench.heard).toEqual(['one', 'two']);
    expect(bench.ask('one', 'm1')).toBe(true);
    expect(bench.mover.moved).toBe(1);
  });

  it('uses MIGRATE without REPLACE, with the key behind KEYS and the credentials of the new owner', () => {
    const bench = new Bench();
    bench.ask('one', 'm1');
    const { request, db } = bench.sent[0] as Sent;
    expect(request.slice(2, 6)).toEqual(['1', 'nearcache:ring', bench.line, '0']);
    expect(request.slice(6).map(String)).toEqual([
      'b.example',
      '6379',
      '',
      '0',
      '1000',
      'AUTH2',
      'u',
      'p',
      'KEYS',
      'm1',
    ]);
    expect(db).toBe(0);
  });

  it('takes a key that is not there for moved', async () => {
    const bench = new Bench();
    bench.ask('one', 'm1');
    await later();
    bench.sent[0]?.answer('NOKEY');
    expect(bench.ask('one', 'm1')).toBe(true);
  });

  it('wakes a command of several keys when the last has moved', async () => {
    const bench = new Bench();
    bench.ask('one', 'm1', 'm2', 'm1');
    await later();
    expect(bench.sent.length).toBe(2);
    bench.sent[0]?.answer('OK');
    expect(bench.heard).toEqual([]);
    bench.sent[1]?.answer('OK');
    expect(bench.heard).toEqual(['one']);
  });

  it('keeps few moves under way', async () => {
    const bench = new Bench();
    for (let n = 0; n < 20; n++) bench.ask(String(n), `m${n}`);
    await later();
    expect(bench.sent.length).toBe(8);
    bench.sent[0]?.answer('OK');
    expect(bench.sent.length).toBe(9);
  });

  it('fails a command whose key is on both shards, and asks anew the next time', async () => {
    const bench = new Bench();
    bench.ask('one', 'm1');
    await later();
    bench.sent[0]?.answer({
      error: 'ERR Target instance replied with error: BUSYKEY Target key name already exists.',
    });
    expect(bench.heard[0]).toContain('key could not be moved from shard a to shard b: it is on both');
    expect(bench.ask('one', 'm1')).toBe(false);
    expect(bench.sent.length).toBe(2);
  });

  it('does not stop a source again and again for a target that it cannot reach', async () => {
    const bench = new Bench();
    bench.ask('one', 'm1');
    await later();
    bench.sent[0]?.answer({ error: 'IOERR error or timeout reading to target instance' });
    expect(bench.heard[0]).toContain('IOERR');
    expect(bench.ask('two', 'm2')).toBe(false);
    expect(bench.heard.length).toBe(1);
    await later();
    expect(bench.heard[1]).toContain('IOERR');
    expect(bench.sent.length).toBe(1);
    bench.clock.advance(2001);
    bench.ask('three', 'm3');
    expect(bench.sent.length).toBe(2);
  });

  it('lets the command find out anew when the link is lost or the ring has moved on', async () => {
    const bench = new Bench();
    bench.ask('one', 'm1');
    await later();
    bench.sent[0]?.answer(undefined, { kind: 'lost', reason: 'closed' });
    bench.ask('two', 'm1');
    await later();
    bench.sent[1]?.answer({ error: `EPOCH ${printRecord({ ...record, seq: 4, state: 'done' })}` });
    expect(bench.heard).toEqual(['one', 'two']);
    expect(bench.rereads).toBe(1);
  });

  it('fails instead of asking for ever when the record has gone back', async () => {
    const bench = new Bench();
    bench.ask('one', 'm1');
    await later();
    bench.sent[0]?.answer({ error: `EPOCH ${printRecord({ ...record, seq: 2, state: 'hold' })}` });
    expect(bench.heard[0]).toContain('has gone back');
  });

  it('refuses more keys than it could remember', async () => {
    const bench = new Bench();
    expect(bench.ask('one', ...Array.from({ length: 51 }, (_, n) => `m${n}`))).toBe(false);
    await later();
    for (let n = 0; n < 51; n++) bench.sent[n]?.answer('OK');
    expect(bench.heard).toEqual(['one: a command names too many keys that have to be moved first']);
  });

  it('copies in three steps where MIGRATE is not used', async () => {
    const bench = new Bench();
    bench.line = printRecord({ ...record, method: 'copy' });
    bench.ask('one', 'm1');
    await later();
    const scripts = (): string[] =>
      bench.sent.map(({ request }) => /DUMP|RESTORE|UNLINK/.exec(String(request[1]))?.[0] ?? '');
    bench.sent[0]?.answer(['\x00payload', 0]);
    bench.sent[1]?.answer('OK');
    expect(bench.heard).toEqual([]);
    bench.sent[2]?.answer(1);
    expect(scripts()).toEqual(['DUMP', 'RESTORE', 'UNLINK']);
    // A TTL that has just run out must not become none.
    expect(bench.sent[1]?.request.slice(6, 9).map(String)).toEqual(['x', '0', '1']);
    expect(bench.heard).toEqual(['one']);
  });
});
