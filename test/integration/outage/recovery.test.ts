// A Redis that comes back: what was known before is gone at once, one that still loads is not used, and what was lost is read gently.
import { describe, expect, test } from 'vitest';

import { QUICK_FLAGS, useOutages } from '../../support/outage-stage.ts';
import { encodeRequest } from '../../support/raw-client.ts';
import { say, text, until } from '../../support/sidecar.ts';

describe('after an outage', () => {
  const stage = useOutages({ flags: QUICK_FLAGS });

  test('nothing of a Redis that was restarted empty is served', async () => {
    const app = await stage.app();
    await say(app, 'MSET', 'hot', '1', 'other', '1');
    await stage.warm(app, 'GET', 'hot');
    await stage.warm(app, 'GET', 'other');
    await stage.away('SIGKILL');
    expect(await say(app, 'GET', 'hot')).toBe('1');
    await stage.sidecar.redis.restart();
    await say(await stage.direct(), 'SET', 'other', '2');
    await until('a write passes', async () => (await say(app, 'SET', 'x', '1')) === '+OK');
    app.send(
      Buffer.concat(
        [
          ['GET', 'hot'],
          ['GET', 'other'],
          ['MGET', 'hot', 'other'],
        ].map(encodeRequest),
      ),
    );
    const replies = (await app.readFrames(3)).map((reply) => reply.toString('latin1'));
    expect(replies).toEqual(['$-1\r\n', '$1\r\n2\r\n', '*2\r\n$-1\r\n$1\r\n2\r\n']);
  });

  test('a Redis that was stopped is used again, with what was written meanwhile', async () => {
    const app = await stage.app();
    const writer = await stage.direct();
    await say(app, 'SET', 'hot', '1');
    await stage.warm(app, 'GET', 'hot');
    await stage.signal('SIGSTOP');
    // Its first command when it goes on.
    writer.request(['SET', 'hot', '2']);
    await until('the breaker is open', async () => (await stage.metric('nearcache_shard_breaker_state')) > 0);
    expect(await say(app, 'GET', 'hot')).toBe('1');
    await stage.sidecar.redis.kill('SIGCONT');
    expect(text(await writer.readFrame())).toBe('+OK');
    await until('a write passes', async () => (await say(app, 'SET', 'x', '1')) === '+OK');
    expect(await say(app, 'GET', 'hot')).toBe('2');
  });
});

describe('a Redis that loads its data set', () => {
  const stage = useOutages({
    flags: QUICK_FLAGS,
    // 20 ms a key, and others are heard behind each.
    redisArgs: ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024'],
  });

  test('counts as away until it has done so, and errors say why', async () => {
    const app = await stage.app();
    const direct = await stage.direct();
    for (let i = 0; i < 150; i++) await say(direct, 'SET', `filler${i}`, `${i}`.repeat(1000));
    await say(app, 'SET', 'hot', 'old');
    await say(direct, 'CONFIG', 'SET', 'rdbcompression', 'no');
    expect(await say(direct, 'SAVE')).toBe('+OK');
    await say(app, 'SET', 'hot', 'new');
    await stage.warm(app, 'GET', 'hot');
    await stage.away('SIGKILL');
    let isLoaded = false;
    const restarted = stage.sidecar.redis.restart().finally(() => {
      isLoaded = true;
    });
    await until('an error names it', async () => (await say(app, 'GET', 'filler1')).includes('(LOADING '));
    expect(isLoaded).toBe(false);
    expect(await say(app, 'GET', 'filler1')).toMatch(
      /^-ERR nearcache: shard \S+ is unreachable \(LOADING Redis is loading.*\); the command was not sent, try again$/,
    );
    // What Redis never saved was good when it was last heard of.
    expect(await say(app, 'GET', 'hot')).toBe('new');
    await restarted;
    await until('a write passes', async () => (await say(app, 'SET', 'x', '1')) === '+OK');
    expect(await say(app, 'GET', 'hot')).toBe('old');
  });
});

describe('reads that the near-cache has lost', () => {
  const RATE = 100;
  const RAMP_S = 3;
  const SESSIONS = 50;
  const READS = 30;
  const stage = useOutages({
    flags: `${QUICK_FLAGS} --recovery-rate ${RATE} --recovery-ramp ${RAMP_S}s --queue-timeout 30s`,
  });

  /** The most that may have been read so long after an outage. */
  function allowed(seconds: number): number {
    let sum = RATE;
    for (let i = 0; i < seconds; i++) sum += RATE * 2 ** i * Math.min(1, seconds - i);
    return sum;
  }

  test('are sent at a rate that doubles each second, and in the end all of them', async () => {
    const apps = await Promise.all(Array.from({ length: SESSIONS }, () => stage.app()));
    await stage.away('SIGKILL');
    const start = performance.now();
    await stage.sidecar.redis.restart();
    const direct = await stage.direct();
    const writer = await stage.app();
    await until('Redis is back', async () => (await say(writer, 'SET', 'x', '1')) === '+OK');
    for (const [i, app] of apps.entries()) {
      app.send(Buffer.concat(Array.from({ length: READS }, (_, j) => encodeRequest(['GET', `k${i}:${j}`]))));
    }
    const answered = Promise.all(apps.map((app) => app.readFrames(READS, 50_000)));
    const seen: number[] = [];
    for (;;) {
      const info = String(await direct.call('INFO', 'commandstats'));
      const reads = Number(/cmdstat_get:calls=(\d+)/.exec(info)?.[1] ?? 0);
      const seconds = (performance.now() - start) / 1000;
      if (seconds > RAMP_S) break;
      expect(reads, `${seconds} s after the outage`).toBeLessThanOrEqual(allowed(seconds));
      seen.push(reads);
      // Writes do not wait for reads.
      expect(await say(writer, 'SET', 'x', '1')).toBe('+OK');
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    expect(seen.at(-1)).toBeGreaterThan(0);
    for (const frames of await answered) {
      for (const frame of frames) expect(frame.toString('latin1')).toBe('$-1\r\n');
    }
    expect(await stage.metric('nearcache_shard_ramp_delayed_total')).toBeGreaterThanOrEqual(SESSIONS);
    expect(await stage.metric('nearcache_shard_ramp_refused_total')).toBe(0);
  });
});
