// What a session that found nothing waits for, and what ends that.
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { readMetric } from '../../../src/drill/servers/read-metrics.ts';
import { connectRaw, encodeRequest, type RawClient } from '../../support/raw-client.ts';
import { eventually, request, say, Sidecar, text, until } from '../../support/sidecar.ts';

/** Nobody's wait ends by time but where a prefix says so. */
const POLICIES = [
  'prefix=leased:;leases=on;leaseWait=60s;leaseTtl=60s',
  'prefix=leased:short:;leases=on;leaseWait=300ms;leaseTtl=60s',
  'prefix=leased:brief:;leases=on;leaseWait=60s;leaseTtl=1500ms',
].join(',');

let sidecar: Sidecar;
let second: Nearcache;
let loader: RawClient;
let waiter: RawClient;
let elsewhere: RawClient;
let count = 0;
let key = '';

beforeAll(async () => {
  sidecar = await Sidecar.start({ flags: `--policy ${POLICIES}` });
  second = await startNearcache({ upstream: sidecar.redis.port, flags: ['--policy', POLICIES] });
});
beforeEach(async () => {
  key = `leased:${++count}`;
  loader = await sidecar.app();
  waiter = await sidecar.app();
  elsewhere = await connectRaw({ port: second.port });
});
afterEach(() => {
  elsewhere.close();
  sidecar.endSessions();
});
afterAll(async () => {
  await second.kill();
  await sidecar.stop();
});

/** Sends GET and comes back when the read waits for the load. */
async function waitWith(reader: RawClient, name = key): Promise<void> {
  const before = await coalesced();
  reader.request(['GET', name]);
  await until('the read waits', async () => (await coalesced()) > before);
}

async function coalesced(): Promise<number> {
  const metric = 'nearcache_cache_requests_total{family="string",result="coalesced"}';
  return (await readMetric(sidecar.nearcache, metric)) + (await readMetric(second, metric));
}

async function waits(result: string): Promise<number> {
  return readMetric(sidecar.nearcache, `nearcache_cache_lease_waits_total{result="${result}"}`);
}

/** The lease in Redis, '' when there is none. */
async function leaseOf(name: string): Promise<string> {
  const token = await say(sidecar.direct, 'GET', `nearcache:lease:{${name}}`);
  return token === 'nil' ? '' : token;
}

describe('a read that waits', () => {
  it('is answered when the loader stores the value', async () => {
    const before = await waits('value');
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    expect(await say(loader, 'SET', key, 'loaded')).toBe('+OK');
    expect(text(await waiter.readFrame())).toBe('loaded');
    expect(await waits('value')).toBe(before + 1);
  });

  it('is answered when a program that knows nothing of nearcache stores the value', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    await say(sidecar.direct, 'SET', key, 'from outside');
    expect(text(await waiter.readFrame())).toBe('from outside');
  });

  it('waits for the load of another pod', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    elsewhere.request(['GET', key]);
    const others = await connectRaw({ port: second.port });
    await waitWith(others);
    expect(String(elsewhere.rest())).toBe('');
    await say(loader, 'SET', key, 'loaded');
    expect(text(await elsewhere.readFrame())).toBe('loaded');
    expect(text(await others.readFrame())).toBe('loaded');
    others.close();
  });

  it('speaks the protocol of its session', async () => {
    await waiter.call('HELLO', '3');
    expect(String(await loader.call('GET', key))).toBe('$-1\r\n');
    await waitWith(waiter);
    waiter.request(['PING']);
    expect((await waiter.readFrames(2)).map(String)).toEqual(['_\r\n', '+PONG\r\n']);
  });

  it('gets its nil when the load takes too long', async () => {
    const name = `leased:short:${key}`;
    const before = await waits('timeout');
    expect(await say(loader, 'GET', name)).toBe('nil');
    const start = performance.now();
    await waitWith(waiter, name);
    expect(text(await waiter.readFrame())).toBe('nil');
    expect(performance.now() - start).toBeGreaterThanOrEqual(299);
    expect(await waits('timeout')).toBe(before + 1);
  });

  it('becomes the loader when the lease is over', async () => {
    const name = `leased:brief:${key}`;
    expect(await say(loader, 'GET', name)).toBe('nil');
    await waitWith(waiter, name);
    const third = await sidecar.app();
    await waitWith(third, name);
    expect(text(await waiter.readFrame())).toBe('nil');
    await say(waiter, 'SET', name, 'second try');
    expect(text(await third.readFrame())).toBe('second try');
  });

  it('becomes the loader when the loader leaves', async () => {
    const before = await waits('loader');
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    const third = await sidecar.app();
    await waitWith(third);
    loader.close();
    expect(text(await waiter.readFrame())).toBe('nil');
    await say(waiter, 'SET', key, 'by the second');
    expect(text(await third.readFrame())).toBe('by the second');
    expect(await waits('loader')).toBe(before + 1);
  });

  it('is no loss when it leaves itself', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    const third = await sidecar.app();
    await waitWith(third);
    waiter.close();
    await sidecar.settled();
    await say(loader, 'SET', key, 'loaded');
    expect(text(await third.readFrame())).toBe('loaded');
  });

  it('is read again when a value came and went, and then one of those who wait loads', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    const third = await sidecar.app();
    await waitWith(third);
    await sidecar.direct.call('EVAL', `redis.call('set', KEYS[1], 1) redis.call('del', KEYS[1])`, '1', key);
    expect(text(await waiter.readFrame())).toBe('nil');
    await say(waiter, 'SET', key, 'loaded');
    expect(text(await third.readFrame())).toBe('loaded');
  });

  it('survives a loss of the link', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    sidecar.relay.cut();
    const stored = await eventually('it works again', async () =>
      answerOf(await say(loader, 'SET', key, 'v')),
    );
    expect(stored).toBe('+OK');
    expect(text(await waiter.readFrame())).toMatch(/^v$|^-ERR nearcache: shard/);
    expect(await say(waiter, 'GET', key)).toBe('v');
  });
});

function answerOf(line: string): string | undefined {
  return line.startsWith('-') ? undefined : line;
}

describe('a session', () => {
  it('never waits for its own load', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    expect(await say(loader, 'GET', key)).toBe('nil');
    await say(loader, 'SET', key, 'loaded');
    expect(text(await waiter.readFrame())).toBe('loaded');
  });

  it('that has sent something behind its read gives up waiting at once', async () => {
    const before = await waits('given-up');
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    waiter.request(['ECHO', 'behind']);
    expect((await waiter.readFrames(2)).map(text)).toEqual(['nil', 'behind']);
    expect(await waits('given-up')).toBe(before + 1);
  });

  it.each([
    ['a blocking command', ['BLPOP', 'nothing', '0.01'], 'nil'],
    ['RESET', ['RESET'], '+RESET'],
    ['QUIT', ['QUIT'], '+OK'],
    ['an unknown command', ['NOSUCHCOMMAND'], /^-ERR unknown command/],
    ['a mistake in the protocol', undefined, /^-ERR Protocol error/],
  ])('gives up for %s too', async (_what, args, expected) => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    if (args === undefined) waiter.send('*x\r\n');
    else waiter.request(args);
    expect(text(await waiter.readFrame())).toBe('nil');
    const last = text(await waiter.readFrame());
    if (typeof expected === 'string') expect(last).toBe(expected);
    else expect(last).toMatch(expected);
  });

  it('with a request that cannot go yet behind its read does not begin to wait', async () => {
    expect(await say(elsewhere, 'GET', key)).toBe('nil');
    waiter.send(Buffer.concat([encodeRequest(['GET', key]), encodeRequest(['BLPOP', 'nothing', '0.01'])]));
    expect((await waiter.readFrames(2)).map(text)).toEqual(['nil', 'nil']);
  });

  it('that is subscribed afterwards is answered before', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    waiter.request(['SUBSCRIBE', 'news']);
    expect(text(await waiter.readFrame())).toBe('nil');
    expect(String(await waiter.readFrame())).toContain('subscribe');
  });

  it('that does not want replies is not made the loader', async () => {
    const third = await sidecar.app();
    waiter.request(['CLIENT', 'REPLY', 'OFF']);
    waiter.request(['GET', key]);
    waiter.request(['CLIENT', 'REPLY', 'ON']);
    expect(text(await waiter.readFrame())).toBe('+OK');
    expect(await say(third, 'GET', key)).toBe('nil');
  });

  it('that shares one connection among 200 requests freezes nothing, whoever loads', async () => {
    const shared = new Redis({ port: sidecar.nearcache.port, host: '127.0.0.1' });
    const nil = Array.from({ length: 200 }, () => null);
    expect(await Promise.all(nil.map(() => shared.get(key)))).toEqual(nil);
    const name = `${key}:again`;
    expect(await say(loader, 'GET', name)).toBe('nil');
    const replies = nil.map(() => shared.get(name));
    expect(await shared.ping()).toBe('PONG');
    expect(await Promise.all(replies)).toEqual(nil);
    shared.disconnect();
  });
});

describe('a lease', () => {
  it('is a key in Redis while the loader loads, and goes with the value', async () => {
    expect(await leaseOf(key)).toBe('');
    expect(await say(loader, 'GET', key)).toBe('nil');
    expect(await leaseOf(key)).toMatch(/^[0-9a-z]+-[0-9a-z]+$/);
    expect(Number((await say(sidecar.direct, 'PTTL', `nearcache:lease:{${key}}`)).slice(1))).toBeGreaterThan(
      50_000,
    );
    await say(loader, 'SET', key, 'loaded');
    await until('the lease is gone', async () => (await leaseOf(key)) === '');
  });

  it('of a key of any bytes is found by the others', async () => {
    const name = `leased:\xff\x00\r\n${key}`;
    expect(await say(loader, 'GET', name)).toBe('nil');
    expect(await leaseOf(name)).not.toBe('');
    await waitWith(waiter, name);
    await say(loader, 'SET', name, 'binary');
    expect(text(await waiter.readFrame())).toBe('binary');
  });

  it('is of one database', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waiter.call('SELECT', '1');
    expect(await say(waiter, 'GET', key)).toBe('nil');
  });

  it('is not taken for a key outside the policy', async () => {
    expect(await say(loader, 'GET', `other${key}`)).toBe('nil');
    expect(await say(waiter, 'GET', `other${key}`)).toBe('nil');
    expect(await leaseOf(`other${key}`)).toBe('');
  });

  it('is not hidden by an entry that says that there is nothing', async () => {
    expect(String(await loader.call('MGET', key))).toBe('*1\r\n$-1\r\n');
    expect(String(await loader.call('MGET', key))).toBe('*1\r\n$-1\r\n');
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    await say(loader, 'SET', key, 'loaded');
    expect(text(await waiter.readFrame())).toBe('loaded');
  });

  it('is kept when a write changes nothing', async () => {
    expect(await say(loader, 'GET', key)).toBe('nil');
    await waitWith(waiter);
    expect(await say(loader, 'SET', key, 'x', 'XX')).toBe('nil');
    expect(await say(loader, 'DEL', key)).toBe(':0');
    await sidecar.settled();
    expect(String(waiter.rest())).toBe('');
    await say(loader, 'SET', key, 'loaded');
    expect(text(await waiter.readFrame())).toBe('loaded');
  });

  it('that is granted after the value has come tells nobody of a nil', async () => {
    const stop = sidecar.gate.stopAt('up', request('SET', `nearcache:lease:{${key}}`));
    loader.request(['GET', key]);
    waiter.request(['GET', key]);
    await stop.reached;
    await say(sidecar.direct, 'SET', key, 'meanwhile');
    stop.release();
    expect(text(await loader.readFrame())).toBe('meanwhile');
    expect(text(await waiter.readFrame())).toBe('meanwhile');
    await until('the lease is gone', async () => (await leaseOf(key)) === '');
  });

  it('is told to nobody after a write of this pod has been acknowledged', async () => {
    const stop = sidecar.gate.stopAt('down', (frame) => frame === '+OK\r\n');
    loader.request(['GET', key]);
    await stop.reached;
    // The grant is on its way; a write on a connection of its own overtakes it.
    const writer = await sidecar.app();
    await writer.call('WATCH', 'nothing');
    expect(await say(writer, 'SET', key, 'written')).toBe('+OK');
    waiter.request(['GET', key]);
    await sidecar.settled();
    stop.release();
    expect(text(await waiter.readFrame())).toBe('written');
    expect(text(await loader.readFrame())).toBe('written');
  });
});
