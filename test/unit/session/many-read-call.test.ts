import { beforeEach, describe, expect, test } from 'vitest';

import type { NearCache } from '../../../src/cache/near-cache.ts';
import { SAME } from '../../../src/cache/store.ts';
import type { CommandSpec } from '../../../src/command/spec.ts';
import { commandByName } from '../../../src/command/table.ts';
import { aimAtKey, wanted } from '../../../src/session/cached-answer.ts';
import { ManyReadCall } from '../../../src/session/many-read-call.ts';
import type { Session } from '../../../src/session/session.ts';
import type { Call } from '../../../src/shard/call.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { nearCacheOf, trackingGeneration } from '../../support/near-caches.ts';
import { requestOf } from '../../support/request-of.ts';
import { giveReply, SlotDesk } from '../../support/slot-desk.ts';

const mget = commandByName('mget') as CommandSpec;
const request = requestOf('MGET', 'hit', 'miss');
const generation = trackingGeneration();

let cache: NearCache;
let desk: SlotDesk;
/** What was sent to Redis once more, and as which call. */
let again: { call: Call; bytes: string }[];

beforeEach(() => {
  cache = nearCacheOf();
  desk = new SlotDesk();
  again = [];
});

/** The session that asked, as far as the call looks at it. */
function session(): Session {
  const shared = {
    generation,
    submit: (call: Call, buffer: Buffer, start: number, end: number) => {
      again.push({ call, bytes: buffer.toString('latin1', start, end) });
    },
  };
  const parts = { identity: { shared }, context: { clock: new ManualClock() }, db: 0, now: 1000 };
  return parts as unknown as Session;
}

function flightOf(index: number): ReturnType<NearCache['startFlight']> {
  aimAtKey(request, index, mget, 0, generation.fence);
  const policy = cache.policies.of(wanted.bytes, wanted.keyStart, wanted.keyEnd);
  const plan = { generation, sentAt: 1000, policy, maxTtlMs: 60_000 };
  const flight = cache.startFlight(wanted, request.argLatin1(index), plan);
  flight.pttl = -1;
  return flight;
}

/** `hit` is cached, and `miss` is asked for. */
function partlyCached(): ManyReadCall {
  const old = Buffer.from('$3\r\nold\r\n');
  cache.land(flightOf(1), old, 0, old.length, { isError: false, isNil: false, form: SAME, now: 1000 });
  const read = new ManyReadCall(session(), cache, request, {
    spec: mget,
    missing: [2],
    flights: [flightOf(2)],
  });
  const slot = desk.slot();
  slot.timeoutMs = 500;
  read.waiters.push(slot);
  return read;
}

test('a cached part and what was asked for are one reply', () => {
  giveReply(partlyCached(), '*1\r\n$3\r\nn', 'ew\r\n');
  expect(desk.out).toBe('*2\r\n$3\r\nold\r\n$3\r\nnew\r\n');
  expect([again.length, desk.settledCount]).toEqual([0, 1]);
});

test('when the cached part has gone, the whole is asked for again, and is over with that', () => {
  const read = partlyCached();
  cache.revoke('hit');
  giveReply(read, '*1\r\n$3\r\nnew\r\n');
  expect([desk.out, desk.settledCount, cache.stats.torn]).toEqual(['', 0, 1]);
  expect(again.map(({ bytes }) => bytes)).toEqual(['*3\r\n$4\r\nMGET\r\n$3\r\nhit\r\n$4\r\nmiss\r\n']);
  giveReply((again[0] as { call: Call }).call, '*2\r\n_\r\n$3\r\nnew\r\n');
  expect([desk.out, desk.settledCount]).toEqual(['*2\r\n_\r\n$3\r\nnew\r\n', 1]);
});

test('an error is told as it is, and what an array must not hold is asked for again', () => {
  giveReply(partlyCached(), '-LOADING soon\r\n');
  expect([desk.out, desk.settledCount, again.length]).toEqual(['-LOADING soon\r\n', 1, 0]);
  giveReply(partlyCached(), '*2\r\n$1\r\na\r\n$1\r\nb\r\n');
  expect(again).toHaveLength(1);
});

test('is open to others until one of its keys is written, or the first bytes are here', () => {
  const revoked = partlyCached();
  expect(revoked.isOpen).toBe(true);
  cache.revoke('miss');
  expect(revoked.isOpen).toBe(false);
  const begun = partlyCached();
  const chunk = Buffer.from('*1\r\n');
  begun.reply(chunk, 0, chunk.length, false, { type: 0x2a, hasResp3: false });
  expect(begun.isOpen).toBe(false);
});

describe('after a time-out', () => {
  function timedOut(): ManyReadCall {
    const read = partlyCached();
    read.fail({ kind: 'timeout', reason: 'late' });
    read.hasTimedOut = true;
    expect(desk.out).toContain('did not answer within 500 ms');
    return read;
  }

  test('it is over once, whatever comes late', () => {
    const read = timedOut();
    giveReply(read, '*1\r\n$3\r\nnew\r\n');
    expect([desk.settledCount, desk.keptBytes]).toEqual([1, 0]);
    expect(desk.out.match(/-ERR/g)).toHaveLength(1);
  });

  test('nothing is asked for again, since nobody waits', () => {
    const read = timedOut();
    cache.revoke('hit');
    giveReply(read, '*1\r\n$3\r\nnew\r\n');
    expect([again.length, desk.settledCount, desk.keptBytes]).toEqual([0, 1, 0]);
  });

  test('a lost link ends it too', () => {
    const read = timedOut();
    read.fail({ kind: 'lost', reason: 'gone' });
    expect(desk.settledCount).toBe(1);
    expect(desk.out.match(/-ERR/g)).toHaveLength(1);
  });
});
