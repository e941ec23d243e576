// Refresh ahead: an entry that would end by a limit of ours is read again before, while hits go on.
import { afterEach, describe, expect, test } from 'vitest';

import type { RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../../support/sidecar.ts';

const REFRESHES = 'nearcache_cache_refreshes_total';

let sidecar: Sidecar;
let app: RawClient;

afterEach(() => sidecar.stop());

async function begin(flags: string): Promise<void> {
  sidecar = await Sidecar.start({ flags: `--max-staleness 30s --cache-ttl-jitter 0 ${flags}` });
  app = await sidecar.app();
}

/** Ask for ever, each time with an immediate answer, until `holds`. Units: ms. */
async function hitsUntil(
  read: string[],
  value: string,
  holds: () => Promise<boolean> | boolean,
): Promise<void> {
  const other = await sidecar.app();
  await until('it happens', async () => {
    other.request(read);
    await sidecar.settled();
    expect(text(other.rest())).toBe(value);
    return holds();
  });
  other.close();
}

function after(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() > end;
}

describe('an entry that ends by the longest time allowed', () => {
  test('is read again once while hits go on, and lives on with what was read', async () => {
    await begin('--cache-max-ttl 3s --cache-soft-ttl 20');
    await say(sidecar.direct, 'SET', 'k', 'old');
    await sidecar.warm(app, 'GET', 'k');
    const runs = await sidecar.runs('get');
    const stop = sidecar.gate.stopAt('up', request('GET', 'k'));
    let isReached = false;
    const reaching = stop.reached.then((frame) => {
      isReached = true;
      return frame;
    });
    await hitsUntil(['GET', 'k'], 'old', () => isReached);
    expect(await reaching).toContain('GET');
    // It is on its way: hits go on, and ask for it no second time.
    await hitsUntil(['GET', 'k'], 'old', after(100));
    expect(await sidecar.metric(REFRESHES)).toBe(1);
    stop.release();
    // The new life begins with the new read: the old one would be over by then.
    const misses = await sidecar.metric('nearcache_cache_misses_total');
    await hitsUntil(['GET', 'k'], 'old', after(3000));
    expect(await sidecar.metric('nearcache_cache_misses_total')).toBe(misses);
    await until('each was one read', async () => {
      return (await sidecar.runs('get')) - runs === (await sidecar.metric(REFRESHES));
    });
  });

  test('never makes anybody wait, for many of its lives', async () => {
    await begin('--cache-max-ttl 2s --cache-soft-ttl 10');
    await say(sidecar.direct, 'SET', 'k', 'v');
    await sidecar.warm(app, 'GET', 'k');
    const misses = await sidecar.metric('nearcache_cache_misses_total');
    await hitsUntil(['GET', 'k'], 'v', async () => (await sidecar.metric(REFRESHES)) >= 5);
    expect(await sidecar.metric('nearcache_cache_misses_total')).toBe(misses);
  });

  test('is not kept alive by a refresh that a write overtakes', async () => {
    await begin('--cache-max-ttl 3s --cache-soft-ttl 10');
    await say(sidecar.direct, 'SET', 'k', 'old');
    await sidecar.warm(app, 'GET', 'k');
    const reply = sidecar.gate.stopAt('down', (frame) => frame === '$3\r\nold\r\n');
    await hitsUntil(['GET', 'k'], 'old', async () => (await sidecar.metric(REFRESHES)) > 0);
    await reply.reached;
    const writer = await sidecar.app();
    await say(writer, 'WATCH', 'nothing');
    await say(writer, 'MULTI');
    await say(writer, 'SET', 'k', 'new');
    await writer.call('EXEC');
    app.request(['GET', 'k']);
    await sidecar.settled();
    reply.release();
    expect(text(await app.readFrame())).toBe('new');
    expect(await say(app, 'GET', 'k')).toBe('new');
  });

  test('that somebody waits for is what its refresh brings', async () => {
    await begin('--cache-max-ttl 2s --cache-soft-ttl 10');
    await say(sidecar.direct, 'SET', 'k', 'v');
    await sidecar.warm(app, 'GET', 'k');
    const stop = sidecar.gate.stopAt('up', request('GET', 'k'));
    await hitsUntil(['GET', 'k'], 'v', async () => (await sidecar.metric(REFRESHES)) > 0);
    await stop.reached;
    const runs = await sidecar.runs('get');
    await until('the old life is over', after(2000));
    app.request(['GET', 'k']);
    await sidecar.settled();
    expect(app.rest()).toHaveLength(0);
    stop.release();
    expect(text(await app.readFrame())).toBe('v');
    expect(await sidecar.runs('get')).toBe(runs + 1);
  });

  test('is read again for MGET and EXISTS, too, key by key', async () => {
    await begin('--cache-max-ttl 2s --cache-soft-ttl 10');
    await say(sidecar.direct, 'MSET', 'a', '1', 'b', '2');
    for (const read of [
      ['MGET', 'a', 'b'],
      ['EXISTS', 'a', 'b'],
    ]) {
      const reply = text(await app.call(...read));
      const [misses, refreshes] = [
        await sidecar.metric('nearcache_cache_misses_total'),
        await sidecar.metric(REFRESHES),
      ];
      await hitsUntil(read, reply, async () => (await sidecar.metric(REFRESHES)) >= refreshes + 6);
      expect(await sidecar.metric('nearcache_cache_misses_total')).toBe(misses);
    }
    expect(await sidecar.runs('mget')).toBe(1);
  });
});

test('that there is no such key is read again before it is forgotten', async () => {
  await begin('--cache-negative-ttl 2s --cache-soft-ttl 10');
  await sidecar.warm(app, 'GET', 'missing');
  const misses = await sidecar.metric('nearcache_cache_misses_total');
  await hitsUntil(['GET', 'missing'], 'nil', async () => (await sidecar.metric(REFRESHES)) >= 3);
  expect(await sidecar.metric('nearcache_cache_misses_total')).toBe(misses);
});

test("a key's own end is not put off, nor is it read again for that", async () => {
  await begin('--cache-max-ttl 10s --cache-soft-ttl 10');
  await say(sidecar.direct, 'DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  await say(sidecar.direct, 'SET', 'k', 'v', 'PX', '400');
  const end = performance.now() + 450;
  await sidecar.warm(app, 'GET', 'k');
  await until('it is over', async () => {
    const isOver = performance.now() > end;
    const reply = await say(app, 'GET', 'k');
    if (isOver) expect(reply).toBe('nil');
    return isOver;
  });
  expect(await sidecar.metric(REFRESHES)).toBe(0);
});

test('without a soft end an entry ends, and is then read by who asks', async () => {
  await begin('--cache-max-ttl 200ms --cache-soft-ttl 100');
  await say(sidecar.direct, 'SET', 'k', 'v');
  await sidecar.warm(app, 'GET', 'k');
  const misses = await sidecar.metric('nearcache_cache_misses_total');
  await until('it was read again', async () => {
    expect(await say(app, 'GET', 'k')).toBe('v');
    return (await sidecar.metric('nearcache_cache_misses_total')) > misses;
  });
  expect(await sidecar.metric(REFRESHES)).toBe(0);
});

describe('stale-while-revalidate', () => {
  const POLICY =
    '--policy prefix=slow:;maxTtl=200ms;softTtl=100;staleWhileRevalidate=5s --cache-max-ttl 200ms';

  test('serves what has ended by our limit while it is read again', async () => {
    await begin(`${POLICY} --cache-soft-ttl 100`);
    await say(sidecar.direct, 'SET', 'slow:k', 'old');
    await sidecar.warm(app, 'GET', 'slow:k');
    const stop = sidecar.gate.stopAt('up', request('GET', 'slow:k'));
    await hitsUntil(['GET', 'slow:k'], 'old', after(600));
    expect(await sidecar.metric(REFRESHES)).toBe(1);
    stop.release();
    const runs = await sidecar.runs('get');
    await hitsUntil(['GET', 'slow:k'], 'old', async () => (await sidecar.metric(REFRESHES)) >= 2);
    expect(await sidecar.runs('get')).toBeLessThanOrEqual(runs + 2);
  });

  test('never serves what was changed', async () => {
    await begin(`${POLICY} --cache-soft-ttl 100`);
    await say(sidecar.direct, 'SET', 'slow:k', 'old');
    await sidecar.warm(app, 'GET', 'slow:k');
    const stop = sidecar.gate.stopAt('up', request('GET', 'slow:k'));
    await hitsUntil(['GET', 'slow:k'], 'old', after(300));
    await say(sidecar.direct, 'SET', 'slow:k', 'new');
    await until('nearcache has heard of it', async () => {
      return (await sidecar.metric('nearcache_cache_invalidations_total')) > 0;
    });
    app.request(['GET', 'slow:k']);
    await sidecar.settled();
    expect(app.rest()).toHaveLength(0);
    stop.release();
    expect(text(await app.readFrame())).toBe('new');
  });

  test('is for the keys of its policy only', async () => {
    await begin(`${POLICY} --cache-soft-ttl 100`);
    await say(sidecar.direct, 'SET', 'k', 'v');
    await sidecar.warm(app, 'GET', 'k');
    const stop = sidecar.gate.stopAt('up', request('GET', 'k'));
    await until('its life is over', after(250));
    app.request(['GET', 'k']);
    await stop.reached;
    await sidecar.settled();
    expect(app.rest()).toHaveLength(0);
    stop.release();
    expect(text(await app.readFrame())).toBe('v');
  });
});
