// What is no outage: an app's own errors, a pause for a failover, a Redis that wants each app to log in. And what is one: replies that
// take too long, and no memory for writes.
import { describe, expect, test } from 'vitest';

import { useOutages } from '../../support/outage-stage.ts';
import { encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { say, Sidecar, text, until } from '../../support/sidecar.ts';

const SHA = 'f'.repeat(40);

/** Send all in one write. */
async function inOneWrite(app: RawClient, lines: readonly (readonly string[])[]): Promise<string[]> {
  app.send(Buffer.concat(lines.map(encodeRequest)));
  return (await app.readFrames(lines.length)).map(text);
}

function times<T>(count: number, item: T): T[] {
  return Array.from({ length: count }, () => item);
}

describe('the breaker stays closed', () => {
  const stage = useOutages({ flags: '--command-timeout 5s' });

  test.each([
    ['WRONGTYPE', ['LPUSH', 'string', 'x']],
    ['WRONGTYPE', ['LRANGE', 'string', '0', '1']],
    ['NOAUTH', ['EVAL', "return redis.error_reply('NOAUTH Authentication required.')", '0']],
    ['ERR', ['EVAL', 'return nonsense', '0']],
    ['NOSCRIPT', ['EVALSHA', SHA, '0']],
    ['ERR', ['INCR', 'string']],
    ['ERR', ['SET', 'string']],
  ])('through a thousand errors that are the app’s own: %s of %j', async (prefix, line) => {
    const app = await stage.app();
    await say(app, 'SET', 'string', 'text');
    const replies = await inOneWrite(app, times(1000, line));
    for (const reply of replies) expect(reply.slice(0, prefix.length + 2)).toBe(`-${prefix} `);
    expect(await stage.metric('nearcache_shard_breaker_trips_total')).toBe(0);
    expect(await say(app, 'SET', 'string', 'text')).toBe('+OK');
  });

  test('through a pause of three seconds, of which only writes feel anything', async () => {
    const reader = await stage.app();
    const writer = await stage.app();
    await say(reader, 'MSET', 'hot', '1', 'cold', '2');
    await stage.warm(reader, 'GET', 'hot');
    const start = performance.now();
    expect(await say(await stage.direct(), 'CLIENT', 'PAUSE', '3000', 'WRITE')).toBe('+OK');
    // Behind the write on the shared connection, no read is heard by Redis.
    writer.send(
      Buffer.concat(
        [
          ['SET', 'paused', '1'],
          ['GET', 'cold'],
        ].map(encodeRequest),
      ),
    );
    const late: number[] = [];
    let reads = 0;
    while (performance.now() - start < 2900) {
      const asked = performance.now();
      expect(await say(reader, 'GET', 'hot')).toBe('1');
      reads++;
      if (performance.now() - asked > 500) late.push(performance.now() - asked);
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    expect(writer.rest()).toHaveLength(0);
    expect((await writer.readFrames(2)).map(text)).toEqual(['+OK', '2']);
    expect(late.length).toBeLessThan(reads / 10);
    expect(await stage.metric('nearcache_shard_breaker_trips_total')).toBe(0);
    expect(await stage.metric('nearcache_stale_served_total')).toBeGreaterThan(0);
  });
});

test('a Redis that does not want nearcache’s user any more is there: nothing stale is served, nothing said to be missing', async () => {
  const sidecar = await Sidecar.start({ flags: '--when-away miss' });
  const app = await sidecar.app();
  await say(app, 'SET', 'hot', '1');
  await sidecar.warm(app, 'GET', 'hot');
  await say(sidecar.direct, 'CONFIG', 'SET', 'requirepass', 'secret');
  sidecar.relay.cut();
  await until('nearcache has been refused', async () =>
    (await say(app, 'SET', 'k', '1')).startsWith('-NOAUTH'),
  );
  for (const read of [
    ['GET', 'hot'],
    ['MGET', 'hot'],
    ['GET', 'cold'],
    ['EXISTS', 'cold'],
  ])
    expect(await say(app, ...read), read.join(' ')).toMatch(/^-NOAUTH /);
  await sidecar.stop();
});

test('where nearcache itself may not log in, apps that do are served', async () => {
  const sidecar = await Sidecar.start({
    flags: '--startup listen --breaker-open-time 100ms',
    prepare: async (direct) => void (await direct.call('CONFIG', 'SET', 'requirepass', 'secret')),
  });
  const app = await sidecar.app();
  await until('nearcache has been refused', async () => (await say(app, 'GET', 'k')).startsWith('-NOAUTH'));
  expect(await say(app, 'AUTH', 'secret')).toBe('+OK');
  for (let i = 0; i < 20; i++) {
    expect(await say(app, 'SET', 'k', String(i))).toBe('+OK');
    expect(await say(app, 'GET', 'k')).toBe(String(i));
  }
  await sidecar.stop();
});

describe('the breaker opens', () => {
  const stage = useOutages({
    flags: '--breaker-slow-call 500ms --breaker-open-time 200ms --max-staleness 20s',
  });

  test('when most replies take too long, though they come, and closes when they do not any more', async () => {
    const app = await stage.app();
    await say(app, 'SET', 'hot', '1');
    await stage.warm(app, 'GET', 'hot');
    const asker = await stage.app();
    // Slower step by step, so that Redis is never silent for long.
    for (let delayMs = 100; delayMs <= 500; delayMs += 100) {
      stage.sidecar.relay.delayMs = delayMs;
      for (let i = 0; i < 10; i++) {
        asker.request(['SET', 'x', '1']);
        await new Promise((resolve) => {
          setTimeout(resolve, 30);
        });
      }
    }
    await until('the breaker is open', async () => {
      asker.request(['SET', 'x', '1']);
      return (await stage.metric('nearcache_shard_breaker_state')) > 0;
    });
    expect(await say(app, 'SET', 'x', '1')).toMatch(/ is away \(.*500 ms\); the circuit breaker is open/);
    expect(await say(app, 'GET', 'hot')).toBe('1');
    stage.sidecar.relay.delayMs = 0;
    await until('the breaker is closed', async () => (await say(app, 'SET', 'x', '1')) === '+OK');
  });

  test('for commands that need memory when Redis has none, and for no others', async () => {
    const app = await stage.app();
    const direct = await stage.direct();
    await say(app, 'MSET', 'a', '1', 'b', '2');
    const rejected = async (): Promise<number> => {
      const info = String(await direct.call('INFO', 'commandstats'));
      return Number(/cmdstat_set:.*rejected_calls=(\d+)/.exec(info)?.[1] ?? 0);
    };
    await say(direct, 'CONFIG', 'SET', 'maxmemory', '1');
    const replies = await inOneWrite(app, times(60, ['SET', 'c', '3']));
    expect(replies[0]).toMatch(/^-OOM /);
    await until('the memory breaker is open', async () => {
      await say(app, 'SET', 'c', '3');
      return (await stage.metric('nearcache_shard_memory_breaker_state')) > 0;
    });
    const before = await rejected();
    expect(before).toBeGreaterThan(0);
    for (const write of [
      ['SET', 'c', '3'],
      ['INCR', 'a'],
      ['MSET', 'a', '1'],
    ]) {
      expect(await say(app, ...write), write[0]).toMatch(
        /^-ERR nearcache: shard \S+ is away \(.*memory.*\); the circuit breaker is open and the command was not sent, try again$/,
      );
    }
    // Redis takes nothing into a transaction then, not even a GET.
    for (const reply of await inOneWrite(app, [['MULTI'], ['GET', 'a'], ['EXEC']]))
      expect(reply).toMatch(/^-ERR nearcache: .*memory.*the circuit breaker is open/);
    expect(await inOneWrite(app, [['MULTI'], ['EXEC']])).toEqual(['+OK', '*0']);
    expect(await rejected()).toBe(before);
    expect(await say(app, 'GET', 'a')).toBe('1');
    expect(await say(app, 'DEL', 'b')).toBe(':1');
    expect(await say(app, 'EXPIRE', 'a', '100')).toBe(':1');
    expect(await stage.metric('nearcache_shard_breaker_state')).toBe(0);
    await say(direct, 'CONFIG', 'SET', 'maxmemory', '0');
    await until('the memory breaker is closed', async () => (await say(app, 'SET', 'c', '3')) === '+OK');
    expect(await stage.metric('nearcache_shard_memory_breaker_state')).toBe(0);
  });
});
