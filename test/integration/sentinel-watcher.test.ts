import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { SentinelWatcher } from '../../src/shard/sentinel.ts';
import type { HostPort, SentinelOptions } from '../../src/shard/sentinel.ts';
import { freePort } from '../../src/drill/servers/free-port.ts';
import { callRedis } from '../../src/drill/servers/redis-call.ts';
import { startSentinels } from '../support/redis-sentinel.ts';
import type { SentinelSet, SentinelsOptions } from '../../src/drill/servers/redis-sentinel.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { startRelay } from '../../src/drill/servers/relay.ts';

const LONG = { timeout: 40_000 };

let set: SentinelSet | undefined;
const watches: Watch[] = [];

afterEach(async () => {
  for (const watch of watches.splice(0)) watch.watcher.close();
  await set?.stop();
  set = undefined;
});

/** A watcher and all that its listener has heard. */
class Watch {
  /** Ports, in the order told; one that was told for its replicas alone is there once. */
  readonly primaries: number[] = [];
  /** Ports of the newest call. */
  replicas: number[] = [];
  confirmedAt = -Infinity;
  readonly problems: string[] = [];
  readonly watcher: SentinelWatcher;

  constructor(options: SentinelOptions) {
    this.watcher = new SentinelWatcher(
      options,
      {
        primary: ({ port }, replicas) => {
          if (this.primaries.at(-1) !== port) this.primaries.push(port);
          this.replicas = replicas.map((replica) => replica.port);
        },
        confirmed: (askedAt) => {
          expect(askedAt).toBeGreaterThan(this.confirmedAt);
          expect(askedAt).toBeLessThanOrEqual(systemClock.now());
          this.confirmedAt = askedAt;
        },
        problem: (text) => this.problems.push(text),
      },
      { clock: systemClock, random: systemRandom },
    );
    this.watcher.start();
    watches.push(this);
  }

  /** Resolves when something asked for after this call was confirmed. */
  async confirmed(): Promise<void> {
    const now = systemClock.now();
    await expect.poll(() => this.confirmedAt, LONG).toBeGreaterThan(now);
  }
}

async function start(options?: SentinelsOptions): Promise<SentinelSet> {
  set = await startSentinels(options);
  return set;
}

function watch(sentinels: readonly HostPort[], options: Partial<SentinelOptions> = {}): Watch {
  return new Watch({
    sentinels: sentinels.map(({ host, port }) => ({ host, port })),
    master: 'mymaster',
    pollMs: 50,
    connectTimeoutMs: 500,
    ...options,
  });
}

function at(servers: readonly RedisServer[], index: number): RedisServer {
  return servers[index] as RedisServer;
}

describe('finding the primary', () => {
  it('names it with its replicas, and learns of the sentinels that are not configured', async () => {
    const { sentinels, servers } = await start({ replicas: 2 });
    const seen = watch(sentinels.slice(0, 1));
    await seen.confirmed();
    expect(seen.primaries).toEqual([at(servers, 0).port]);
    expect(new Set(seen.replicas)).toEqual(new Set([at(servers, 1).port, at(servers, 2).port]));
    await at(sentinels, 0).kill('SIGKILL');
    await seen.confirmed();
    expect(seen.problems.length).toBe(1);
    expect(seen.problems[0]).toContain(`sentinel 127.0.0.1:${at(sentinels, 0).port}: `);
  });

  it('waits for no sentinel that is frozen or absent', async () => {
    const { sentinels, servers } = await start({ sentinels: 5 });
    await at(sentinels, 0).kill('SIGSTOP');
    const absent = { host: '127.0.0.1', port: await freePort() };
    const began = systemClock.now();
    const seen = watch([...sentinels.slice(0, 4), absent], { connectTimeoutMs: 10_000 });
    await expect.poll(() => seen.confirmedAt, LONG).toBeGreaterThan(began);
    expect(systemClock.now() - began).toBeLessThan(8000);
    expect(seen.primaries).toEqual([at(servers, 0).port]);
  });

  it('uses the user and password of the sentinels, and says so when they are wrong', async () => {
    const { sentinels, servers } = await start({ sentinels: 1, sentinelPassword: 'watch', password: 'data' });
    const known = watch(sentinels, { password: 'watch' });
    const named = watch(sentinels, { user: 'default', password: 'watch' });
    const [wrong, none] = [watch(sentinels, { password: 'no' }), watch(sentinels)];
    await Promise.all([known.confirmed(), named.confirmed()]);
    expect([known.primaries, named.primaries]).toEqual([[at(servers, 0).port], [at(servers, 0).port]]);
    await expect.poll(() => wrong.problems[0]).toContain('WRONGPASS');
    await expect.poll(() => none.problems[0]).toContain('NOAUTH');
    // By now each has failed many times over. One that may connect is told of its subscription too.
    await known.confirmed();
    expect([wrong.primaries, none.primaries]).toEqual([[], []]);
    expect([wrong.problems.length, none.problems.length]).toEqual([1, 2]);
  });

  it('says so when the sentinels do not know the name', async () => {
    const { sentinels } = await start({ sentinels: 1 });
    const seen = watch(sentinels, { master: 'another' });
    await expect
      .poll(() => seen.problems)
      .toEqual([expect.stringContaining('No such master with that name')]);
    expect(seen.primaries).toEqual([]);
  });
});

describe('following', () => {
  it('follows a failover that was asked for, and the next one back', async () => {
    const { sentinels, servers } = await start();
    const [a, b] = [at(servers, 0).port, at(servers, 1).port];
    const seen = watch(sentinels);
    await seen.confirmed();
    await set?.failover();
    await expect.poll(() => seen.primaries, LONG).toEqual([a, b]);
    await seen.confirmed();
    await expect.poll(() => seen.replicas, LONG).toEqual([a]);
    await set?.failover();
    await expect.poll(() => seen.primaries, LONG).toEqual([a, b, a]);
  });

  it('needs no poll to follow: what the sentinels say is enough', async () => {
    const { sentinels, servers } = await start();
    const seen = watch(sentinels, { pollMs: 600_000 });
    await expect.poll(() => seen.primaries).toEqual([at(servers, 0).port]);
    await set?.failover();
    await expect.poll(() => seen.primaries, LONG).toEqual([at(servers, 0).port, at(servers, 1).port]);
  });

  it('follows when the primary is killed, and drops the old one until it is back as a replica', async () => {
    const { sentinels, servers } = await start({ replicas: 2 });
    const seen = watch(sentinels);
    await expect.poll(() => seen.replicas.length).toBe(2);
    const old = await (set as SentinelSet).killPrimary();
    const now = await (set as SentinelSet).switchedFrom(old);
    await expect.poll(() => seen.primaries, LONG).toEqual([old.port, now.port]);
    const other = servers.find((server) => server !== old && server !== now);
    await expect.poll(() => seen.replicas, LONG).toEqual([other?.port]);
    await seen.confirmed();
    await old.restart();
    await expect.poll(() => seen.replicas.length, LONG).toBe(2);
    expect(seen.primaries).toEqual([old.port, now.port]);
  });

  it('is not taken back to a frozen primary that wakes up', async () => {
    const { sentinels } = await start();
    const seen = watch(sentinels);
    await seen.confirmed();
    const old = await (set as SentinelSet).pausePrimary();
    const now = await (set as SentinelSet).switchedFrom(old);
    await old.kill('SIGCONT');
    await set?.settled();
    await seen.confirmed();
    expect(seen.primaries).toEqual([old.port, now.port]);
  });

  it('is not taken back by a sentinel that was frozen through the failover', async () => {
    const { sentinels } = await start();
    const sleeper = at(sentinels, 0);
    const seen = watch(sentinels);
    await seen.confirmed();
    const old = await (set as SentinelSet).primary();
    await sleeper.kill('SIGSTOP');
    const now = await (set as SentinelSet).failover();
    await expect.poll(() => seen.primaries, LONG).toEqual([old.port, now.port]);
    await sleeper.kill('SIGCONT');
    await set?.settled();
    await seen.confirmed();
    expect(seen.primaries).toEqual([old.port, now.port]);
  });

  it('is not taken back by a sentinel that missed the failover, though no other answers', async () => {
    const { sentinels } = await start();
    const [sleeper, ...others] = sentinels as [RedisServer, ...RedisServer[]];
    const seen = watch(sentinels);
    await seen.confirmed();
    const old = await (set as SentinelSet).primary();
    await sleeper.kill('SIGKILL');
    const now = await (set as SentinelSet).failover();
    await expect.poll(() => seen.primaries, LONG).toEqual([old.port, now.port]);
    // While those who know are frozen, it is as it was when it was killed.
    for (const other of others) await other.kill('SIGSTOP');
    await sleeper.restart();
    expect((await (set as SentinelSet).beliefs()).map(({ port }) => port)).toEqual([old.port]);
    const { confirmedAt } = seen;
    const late = watch([sleeper], { connectTimeoutMs: 10_000 });
    // The last question of both watchers, so both have its answer.
    const asked = async (): Promise<number> =>
      String(await callRedis(sleeper, ['CLIENT', 'LIST'])).split('cmd=sentinel|master ').length - 1;
    await expect.poll(asked, LONG).toBe(2);
    expect(seen.confirmedAt).toBe(confirmedAt);
    for (const other of others) await other.kill('SIGCONT');
    await Promise.all([seen.confirmed(), late.confirmed()]);
    expect(seen.primaries).toEqual([old.port, now.port]);
    expect(late.primaries).toEqual([now.port]);
  });
});

describe('losing sentinels', () => {
  it('confirms nothing while a majority is gone, and again when it is back', async () => {
    const { sentinels, servers } = await start();
    const seen = watch(sentinels);
    await seen.confirmed();
    await Promise.all(sentinels.slice(1).map((sentinel) => sentinel.kill('SIGSTOP')));
    const frozenAt = systemClock.now();
    // Time for twenty polls of the one that is left.
    await delay(1000);
    expect(seen.confirmedAt).toBeLessThanOrEqual(frozenAt);
    await Promise.all(sentinels.slice(1).map((sentinel) => sentinel.kill('SIGCONT')));
    await seen.confirmed();
    expect(seen.primaries).toEqual([at(servers, 0).port]);
  });

  it('comes back by itself after all of them were away', async () => {
    const { sentinels, servers } = await start();
    const seen = watch(sentinels);
    await seen.confirmed();
    await Promise.all(sentinels.map((sentinel) => sentinel.kill('SIGKILL')));
    await expect.poll(() => seen.problems.length, LONG).toBe(3);
    await Promise.all(sentinels.map((sentinel) => sentinel.restart()));
    await seen.confirmed();
    await set?.failover();
    await expect.poll(() => seen.primaries, LONG).toEqual([at(servers, 0).port, at(servers, 1).port]);
  });

  it('gives up a half-open connection for a new one', async () => {
    const { sentinels, servers } = await start({ sentinels: 1 });
    const relay = await startRelay(at(sentinels, 0).port);
    const seen = watch([{ host: '127.0.0.1', port: relay.port }], { connectTimeoutMs: 200 });
    await seen.confirmed();
    relay.halfOpen();
    await seen.confirmed();
    await set?.failover();
    await expect.poll(() => seen.primaries, LONG).toEqual([at(servers, 0).port, at(servers, 1).port]);
    await relay.stop();
  });

  it('leaves no connection and says nothing once it is closed', async () => {
    const { sentinels } = await start({ sentinels: 1 });
    const relay = await startRelay(at(sentinels, 0).port);
    const seen = watch([{ host: '127.0.0.1', port: relay.port }]);
    await seen.confirmed();
    expect(relay.connections).toBe(2);
    seen.watcher.close();
    const { confirmedAt } = seen;
    await expect.poll(() => relay.connections).toBe(0);
    await relay.stop();
    await set?.failover();
    expect([seen.confirmedAt, seen.primaries.length, seen.problems]).toEqual([confirmedAt, 1, []]);
  });
});
