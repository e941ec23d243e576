// What apps read and write while their Redis is killed or stopped: entries that were good before, at once; an error for the rest.
import { describe, expect, test } from 'vitest';

import { QUICK_FLAGS, useOutages } from '../../support/outage-stage.ts';
import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { invalidation, request, say, text, until } from '../../support/sidecar.ts';

const POLICIES =
  '--policy prefix=open:;whenAway=miss --policy prefix=fresh:;staleIfError=0 --policy prefix=brief:;staleIfError=1s';
const SIGNALS = ['SIGKILL', 'SIGSTOP'] as const;
const NOT_SENT =
  /^-ERR nearcache: shard \S+ is (away|unreachable) \(.+\); .*the command was not sent, try again$/;

const stage = useOutages({ flags: `${QUICK_FLAGS} ${POLICIES} --slow-command-timeout 1s` });

async function frame(app: RawClient, ...args: readonly string[]): Promise<string> {
  return (await app.call(...args)).toString('latin1');
}

/** Half of these commands are answered within so many ms; all of them as expected. */
async function typicalMs(run: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 21; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[10] as number;
}

describe.each(SIGNALS)('while Redis is away after %s', (signal) => {
  test('what is hot is answered from the first moment on without an error, and counted', async () => {
    const app = await stage.app();
    await say(app, 'MSET', 'hot', '1', 'a', '1', 'b', '2');
    for (const read of [
      ['GET', 'hot'],
      ['MGET', 'a', 'b'],
    ])
      await stage.warm(app, ...read);
    await stage.signal(signal);
    const end = performance.now() + 3000;
    while (performance.now() < end) {
      expect(await frame(app, 'GET', 'hot')).toBe('$1\r\n1\r\n');
      expect(await frame(app, 'MGET', 'a', 'b')).toBe('*2\r\n$1\r\n1\r\n$1\r\n2\r\n');
      // Until freshness is over these are hits like any other.
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    await until('nearcache knows', async () => (await stage.metric('nearcache_shard_breaker_state')) > 0);
    const served = await stage.metric('nearcache_stale_served_total');
    const ages = await stage.metric('nearcache_stale_age_seconds_count');
    const sum = await stage.metric('nearcache_stale_age_seconds_sum');
    expect(ages).toBe(served);
    await frame(app, 'GET', 'hot');
    expect(await stage.metric('nearcache_stale_served_total')).toBe(served + 1);
    await frame(app, 'MGET', 'a', 'b');
    expect(await stage.metric('nearcache_stale_served_total')).toBe(served + 2);
    expect(await stage.metric('nearcache_stale_age_seconds_count')).toBe(served + 2);
    const age = ((await stage.metric('nearcache_stale_age_seconds_sum')) - sum) / 2;
    // The outage is over two seconds old, and no test takes longer than its time limit.
    expect(age).toBeGreaterThan(2);
    expect(age).toBeLessThan(30);
  });

  test('nor does a read fail that comes while its link is being replaced, or waits behind a write then', async () => {
    const app = await stage.app();
    await say(app, 'MSET', 'hot', '1', 'a', '1', 'open:hot', '1');
    for (const key of ['hot', 'a', 'open:hot']) await stage.warm(app, 'GET', key);
    const reads = [
      ['GET', 'hot'],
      ['MGET', 'hot', 'a'],
      ['EXISTS', 'open:cold'],
      ['GET', 'open:cold'],
    ];
    const killed = stage.signal(signal);
    for (let i = 0; i < 30; i++) {
      app.send(Buffer.concat([['SET', 'x', '1'], ...reads].map(encodeRequest)));
      const [, ...replies] = (await app.readFrames(5)).map((reply) => reply.toString('latin1'));
      expect(replies).toEqual(['$1\r\n1\r\n', '*2\r\n$1\r\n1\r\n$1\r\n1\r\n', ':0\r\n', '$-1\r\n']);
    }
    await killed;
  });

  test('stale and refused commands are answered at once', async () => {
    const app = await stage.app();
    await say(app, 'SET', 'hot', '1');
    await stage.warm(app, 'GET', 'hot');
    await stage.away(signal);
    const stale = await typicalMs(async () => expect(await say(app, 'GET', 'hot')).toBe('1'));
    const refused = await typicalMs(async () =>
      expect(await say(app, 'SET', 'other', '1')).toMatch(NOT_SENT),
    );
    const missed = await typicalMs(async () => expect(await say(app, 'GET', 'cold')).toMatch(NOT_SENT));
    // Nobody waits for a time-out, nor for the next probe or try.
    for (const ms of [stale, refused, missed]) expect(ms).toBeLessThan(100);
  });

  test('each protocol gets its own form, whichever of them filled', async () => {
    const two = await stage.app();
    const three = await stage.app();
    await three.call('HELLO', '3');
    await say(two, 'HSET', 'by-two', 'f', 'v');
    await say(two, 'HSET', 'by-three', 'f', 'v');
    await stage.warm(two, 'HGETALL', 'by-two');
    await stage.warm(three, 'HGETALL', 'by-three');
    await stage.away(signal);
    for (const key of ['by-two', 'by-three']) {
      expect(await frame(two, 'HGETALL', key)).toBe('*2\r\n$1\r\nf\r\n$1\r\nv\r\n');
      expect(await frame(three, 'HGETALL', key)).toBe('%1\r\n$1\r\nf\r\n$1\r\nv\r\n');
    }
  });

  test('that a key did not exist is served too, behind other commands as well', async () => {
    const app = await stage.app();
    await say(app, 'SET', 'hot', '1');
    await stage.warm(app, 'GET', 'nobody');
    await stage.warm(app, 'GET', 'hot');
    await stage.away(signal);
    app.send(
      Buffer.concat(
        [
          ['SET', 'x', '1'],
          ['GET', 'nobody'],
          ['GET', 'hot'],
          ['MGET', 'hot', 'nobody'],
        ].map(encodeRequest),
      ),
    );
    const replies = (await app.readFrames(4)).map((reply) => reply.toString('latin1'));
    expect(replies[0]?.slice(0, -2)).toMatch(NOT_SENT);
    expect(replies.slice(1)).toEqual(['$-1\r\n', '$1\r\n1\r\n', '*2\r\n$1\r\n1\r\n$-1\r\n']);
  });

  test('an entry that was invalidated before is not served', async () => {
    const app = await stage.app();
    await say(app, 'SET', 'changed', '1');
    await stage.warm(app, 'GET', 'changed');
    const told = stage.sidecar.gate.stopAt('down', invalidation('changed'));
    const other = await stage.direct();
    await say(other, 'SET', 'changed', '2');
    await told.reached;
    told.release();
    await stage.sidecar.caughtUp();
    await stage.away(signal);
    expect(await say(app, 'GET', 'changed')).toMatch(NOT_SENT);
  });

  test('a key with a write whose outcome is unknown is not served', async () => {
    const app = await stage.app();
    const other = await stage.app();
    await say(app, 'MSET', 'unsure', '1', 'sure', '1');
    await stage.warm(app, 'GET', 'unsure');
    await stage.warm(app, 'GET', 'sure');
    const held = stage.sidecar.gate.stopAt('up', request('SET', 'unsure'));
    app.request(['SET', 'unsure', '2']);
    await held.reached;
    await stage.signal(signal);
    held.release();
    expect(text(await app.readFrame())).toContain('outcome unknown');
    await until('the breaker is open', async () => (await stage.metric('nearcache_shard_breaker_state')) > 0);
    for (const session of [app, other]) {
      expect(await say(session, 'GET', 'unsure')).toMatch(NOT_SENT);
      expect(await say(session, 'GET', 'sure')).toBe('1');
    }
  });

  test('writes that are refused leave what is known as it is', async () => {
    const app = await stage.app();
    await say(app, 'SET', 'kept', '1');
    await stage.warm(app, 'GET', 'kept');
    await stage.away(signal);
    for (const write of [
      ['SET', 'kept', '2'],
      ['DEL', 'kept'],
      ['EVAL', 'return 1', '1', 'kept'],
      ['FLUSHALL'],
      ['BLPOP', 'kept', '1'],
    ]) {
      expect(await say(app, ...write)).toMatch(NOT_SENT);
      expect(await say(app, 'GET', 'kept'), write[0]).toBe('1');
    }
    app.send(Buffer.concat([['MULTI'], ['SET', 'kept', '2'], ['EXEC']].map(encodeRequest)));
    for (const reply of await app.readFrames(3)) expect(text(reply)).toMatch(NOT_SENT);
    expect(await say(app, 'GET', 'kept')).toBe('1');
  });

  test('no longer than --stale-if-error of its policy', async () => {
    const app = await stage.app();
    await say(app, 'MSET', 'brief:k', '1', 'fresh:k', '1', 'hot', '1');
    for (const key of ['brief:k', 'fresh:k', 'hot']) await stage.warm(app, 'GET', key);
    await stage.away(signal);
    expect(await say(app, 'GET', 'fresh:k')).toMatch(NOT_SENT);
    // It was over a second ago that Redis was heard of when this one ends.
    await until('its time is over', async () => (await say(app, 'GET', 'brief:k')).startsWith('-'));
    expect(await say(app, 'GET', 'brief:k')).toMatch(NOT_SENT);
    expect(await say(app, 'MGET', 'hot', 'brief:k')).toMatch(NOT_SENT);
    expect(await say(app, 'GET', 'hot')).toBe('1');
  });

  test('by policy, reads of which nothing is known say that there is no such key', async () => {
    const app = await stage.app();
    const three = await stage.app();
    await three.call('HELLO', '3');
    await say(app, 'SET', 'open:hot', '1');
    await stage.warm(app, 'GET', 'open:hot');
    await stage.away(signal);
    const before = await stage.metric('nearcache_misses_served_total');
    expect(await frame(app, 'GET', 'open:hot')).toBe('$1\r\n1\r\n');
    expect(await frame(app, 'GET', 'open:cold')).toBe('$-1\r\n');
    expect(await frame(three, 'GET', 'open:cold')).toBe('_\r\n');
    expect(await frame(app, 'HGETALL', 'open:cold')).toBe('*0\r\n');
    expect(await frame(three, 'HGETALL', 'open:cold')).toBe('%0\r\n');
    expect(await frame(app, 'MGET', 'open:cold', 'open:colder')).toBe('*2\r\n$-1\r\n$-1\r\n');
    expect(await frame(app, 'EXISTS', 'open:cold', 'open:colder')).toBe(':0\r\n');
    expect(await stage.metric('nearcache_misses_served_total')).toBe(before + 6);
    for (const closed of [
      ['GET', 'cold'],
      ['MGET', 'open:cold', 'cold'],
      // What they say of no key depends on how they are asked.
      ['LPOS', 'open:cold', 'x'],
      ['SET', 'open:lock', '1', 'NX'],
      ['INCR', 'open:rate'],
      ['GETSET', 'open:cold', '1'],
      ['SINTER', 'open:cold', 'open:colder'],
      ['GET'],
      ['MGET'],
      ['EXISTS'],
    ])
      expect(await say(app, ...closed), closed.join(' ')).toMatch(NOT_SENT);
  });
});

test('a session is not told what its own script, whose outcome is unknown, may have changed', async () => {
  const app = await stage.app();
  const other = await stage.app();
  await say(app, 'MSET', 'hot', '1', 'warm', '1');
  await stage.warm(app, 'MGET', 'hot', 'warm');
  await stage.signal('SIGSTOP');
  expect(await say(app, 'EVAL', "return redis.call('SET', 'ho' .. 't', '2')", '0')).toContain(
    'outcome unknown',
  );
  await until('the breaker is open', async () => (await stage.metric('nearcache_shard_breaker_state')) > 0);
  expect(await say(app, 'GET', 'hot')).toMatch(NOT_SENT);
  expect(await say(app, 'MGET', 'hot', 'warm')).toMatch(NOT_SENT);
  expect(await say(other, 'GET', 'hot')).toBe('1');
});

test('by policy, a read that times out, or whose link is lost, says that there is no such key', async () => {
  const app = await stage.app();
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
    const held = stage.sidecar.gate.stopAt('up', request('GET', 'open:cold'));
    app.send(
      Buffer.concat(
        [
          ['GET', 'open:cold'],
          ['MGET', 'open:cold', 'open:colder'],
          ['GET', 'cold'],
        ].map(encodeRequest),
      ),
    );
    await held.reached;
    await stage.signal(signal);
    held.release();
    const replies = (await app.readFrames(3)).map((reply) => reply.toString('latin1'));
    expect(replies.slice(0, 2)).toEqual(['$-1\r\n', '*2\r\n$-1\r\n$-1\r\n']);
    expect(replies[2]).toMatch(/^-ERR nearcache: /);
    await stage.back();
  }
});
