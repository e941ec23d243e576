import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';

import { Ring } from '../../src/route/ring.ts';
import { startRing } from '../support/ring-servers.ts';
import type { Ring as Servers, RingShard } from '../support/ring-servers.ts';
import { RingClient } from '../support/ring-client.ts';
import { eventually } from '../../src/drill/servers/eventually.ts';
import { RingFiles, reshard, ringYaml, startReshard } from '../support/ring-files.ts';

const placing = { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '{}' } as const;

/** Four servers, of which the first three are the old ring; sidecars that know both; the files for the tool. */
class Stage {
  readonly servers: Servers;
  readonly clients: RingClient[] = [];
  readonly direct: Redis[];
  readonly args: readonly string[];
  readonly #next: Ring;

  private constructor(servers: Servers) {
    this.servers = servers;
    this.direct = servers.shards.map(
      ({ server }) => new Redis(server.port, { protocol: 2, maxRetriesPerRequest: 1 }),
    );
    for (const redis of this.direct) redis.on('error', () => undefined);
    const files = new RingFiles();
    const old = files.write('old.yaml', ringYaml(servers.shards.slice(0, 3)));
    const next = files.write('new.yaml', ringYaml(servers.shards));
    this.args = ['--from', old, '--to', next];
    this.#next = new Ring(placing, planOf(servers.shards).shards);
  }

  static async start(): Promise<Stage> {
    return new Stage(await startRing(4));
  }

  sidecar(instance: string): RingClient {
    const { shards } = this.servers;
    const rings = { old: planOf(shards.slice(0, 3)), next: planOf(shards) };
    const client = new RingClient(instance, rings, shards);
    this.clients.push(client);
    return client;
  }

  /** A connection to the first server, of that name, which does not come back. */
  async connectAs(connectionName: string): Promise<Redis> {
    const { server } = this.servers.shards[0] as RingShard;
    const redis = new Redis(server.port, { protocol: 2, retryStrategy: null, connectionName });
    redis.on('error', () => undefined);
    await redis.ping();
    this.direct.push(redis);
    return redis;
  }

  /** The server that a key belongs to in the end. */
  owner(key: string): Redis {
    const bytes = Buffer.from(key);
    return this.direct[this.#next.place(bytes, 0, bytes.length)] as Redis;
  }

  /** On how many servers a key is. */
  async copies(key: string): Promise<number> {
    const found = await Promise.all(this.direct.map((redis) => redis.exists(key)));
    return found.reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    for (const redis of this.direct) redis.disconnect();
    await this.servers.stop();
  }
}

function planOf(
  shards: readonly RingShard[],
): typeof placing & { shards: { name: string; weight: number }[] } {
  return { ...placing, shards: shards.map(({ name }) => ({ name, weight: 1 })) };
}

let stage: Stage;
afterEach(() => stage.stop());

describe('nearcache reshard', () => {
  for (const method of ['migrate', 'copy']) {
    it(`moves all types with their TTLs, in all databases (${method})`, async () => {
      stage = await Stage.start();
      const sidecar = stage.sidecar('one');
      const keys = Array.from({ length: 120 }, (_, index) => index);
      for (const n of keys) await fill(sidecar, n);
      const { code, out, err } = await reshard(['run', ...stage.args, '--method', method]);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toContain('done:');
      for (const n of keys) await expectFilled(stage, n);
      expect((await stage.direct[3]?.dbsize()) as number).toBeGreaterThan(10);
      await expectNoneElsewhere(stage);
    });

    it(`loses no write of two sidecars that use the keys while they move (${method})`, async () => {
      stage = await Stage.start();
      const sidecars = [stage.sidecar('one'), stage.sidecar('two')];
      const load = new Load(sidecars);
      load.start();
      await load.has(2000);
      const { code, err } = await reshard(['run', ...stage.args, '--method', method, '--rate', '2000/s']);
      await load.has(2000);
      await load.stop();
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(load.wrong).toEqual([]);
      await load.expectCounters(stage);
      expect(sidecars[0]?.mover.moved).toBeGreaterThan(0);
      expect(Math.max(...sidecars.map(({ slowestMs }) => slowestMs))).toBeLessThan(10_000);
    });
  }

  it('goes on where it was killed, and not without --resume', async () => {
    stage = await Stage.start();
    const load = new Load([stage.sidecar('one'), stage.sidecar('two')]);
    load.start();
    await load.has(1000);
    // So slow that it is not over when this process is held up for a while.
    const killed = startReshard(['run', ...stage.args, '--rate', '5/s', '--batch', '1', '--json']);
    await eventually('it moves', async () => (killed.out.includes('"moved":') ? true : undefined));
    killed.kill('SIGKILL');
    await killed.ended;
    expect((await reshard(['run', ...stage.args])).err).toContain('go on with --resume');
    expect((await reshard(['run', ...stage.args, '--resume'])).code).toBe(0);
    await load.has(1000);
    await load.stop();
    expect(load.wrong).toEqual([]);
    await load.expectCounters(stage);
  });

  it('does not begin to move before every nearcache knows both rings', async () => {
    stage = await Stage.start();
    const { shards } = stage.servers;
    const late = new RingClient('late', { old: planOf(shards.slice(0, 3)), next: undefined }, shards);
    stage.clients.push(late);
    await late.call('l', 0, ['SET', 'k', 'v']);
    const tool = startReshard(['run', ...stage.args]);
    await eventually('it says for whom it waits', async () =>
      tool.out.includes('late (has only the old ring)') ? true : undefined,
    );
    expect(await late.call('l', 0, ['INCR', 'n'])).toBe(':1\r\n');
    expect(await stage.direct[3]?.dbsize()).toBe(1);
    late.close();
    stage.sidecar('late');
    expect((await tool.ended).code).toBe(0);
  });

  it('waits for a nearcache that does not report, and closes it with --kick', async () => {
    stage = await Stage.start();
    stage.sidecar('good');
    const frozen = await stage.connectAs('nearcache/frozen');
    const tool = startReshard(['run', ...stage.args]);
    await eventually('it waits', async () =>
      tool.out.includes('frozen (does not report)') ? true : undefined,
    );
    tool.kill('SIGTERM');
    expect((await tool.ended).code).toBe(1);
    expect((await reshard(['run', ...stage.args, '--hold', '100ms', '--resume', '--kick'])).code).toBe(0);
    expect(frozen.status).toBe('end');
  });

  it('gives a hold up while a nearcache does not hold, so that the others go on, and closes it with --kick', async () => {
    stage = await Stage.start();
    const sidecar = stage.sidecar('good');
    const frozen = await stage.connectAs('nearcache/frozen');
    const args = ['run', ...stage.args, '--hold', '200ms'];
    const tool = startReshard(args);
    const record = await eventually(
      'it is prepared',
      async () => (await frozen.get('nearcache:ring')) ?? undefined,
    );
    const [, id, seq, , from, to] = record.split(' ');
    await frozen.call('CLIENT', 'SETNAME', `nearcache-ring/frozen/${from}/${to}/${id}.${seq}/ready`);
    await eventually('it has tried', async () =>
      tool.out.includes('no answer within 200 ms') ? true : undefined,
    );
    for (let n = 1; n <= 50; n++) expect(await sidecar.call('l', 0, ['INCR', `n:${n}`])).toBe(':1\r\n');
    tool.kill('SIGKILL');
    await tool.ended;
    expect((await reshard([...args, '--resume', '--kick'])).code).toBe(0);
    expect(frozen.status).toBe('end');
    for (let n = 1; n <= 50; n++) expect(await sidecar.call('l', 0, ['INCR', `n:${n}`])).toBe(':2\r\n');
  });

  it('refuses to begin while there are keys that would come back, unless it may delete them', async () => {
    stage = await Stage.start();
    await stage.direct[3]?.set('stray', 'old');
    const { code, err } = await reshard(['run', ...stage.args]);
    expect(code).toBe(1);
    expect(err).toContain('1 on shard3');
    expect((await reshard(['run', ...stage.args, '--delete-strays'])).code).toBe(0);
    expect(await stage.copies('stray')).toBe(0);
  });

  it('tells keys that are on both sides with different values, and ends them as it is told to', async () => {
    stage = await Stage.start();
    const keys = Array.from({ length: 40 }, (_, index) => `key:${index}`);
    const sidecar = stage.sidecar('one');
    for (const key of keys) await sidecar.call('l', 0, ['SET', key, 'old']);
    const moving = await keysOwnedBy(stage, 3, keys);
    const stopped = startReshard(['run', ...stage.args, '--rate', '1/s', '--batch', '1']);
    await eventually('one is moved', async () =>
      (await stage.direct[3]?.exists(...moving)) ? true : undefined,
    );
    stopped.kill('SIGKILL');
    await stopped.ended;
    const fourth = stage.direct[3] as Redis;
    const isMoved = await Promise.all(moving.map((key) => fourth.exists(key)));
    const left = moving.find((_key, index) => isMoved[index] === 0) as string;
    await stage.direct[3]?.set(left, 'new');
    const first = await reshard(['run', ...stage.args, '--resume']);
    expect(first.code).toBe(1);
    expect(first.out).toContain(left);
    await expect(sidecar.call('l', 0, ['GET', left])).rejects.toThrow('it is on both');
    expect((await reshard(['run', ...stage.args, '--resume', '--conflicts', 'keep-new'])).code).toBe(0);
    expect(await stage.direct[3]?.get(left)).toBe('new');
    expect(await stage.copies(left)).toBe(1);
  });

  it('plans without changing anything, and keeps to its rate', async () => {
    stage = await Stage.start();
    const sidecar = stage.sidecar('one');
    const count = 600;
    for (let n = 0; n < count; n++) await sidecar.call('l', 0, ['SET', `key:${n}`, 'v']);
    const plan = JSON.parse((await reshard(['plan', ...stage.args, '--json'])).out) as {
      keys: number;
      moving: number;
    };
    expect(plan.keys).toBe(count);
    expect(await stage.direct[3]?.dbsize()).toBe(0);
    const began = performance.now();
    expect((await reshard(['run', ...stage.args, '--rate', '100/s', '--batch', '10'])).code).toBe(0);
    expect(performance.now() - began).toBeGreaterThan((plan.moving / 100) * 1000 * 0.9);
    const moved = (await stage.direct[3]?.dbsize()) as number;
    expect(Math.abs(moved - plan.moving)).toBeLessThanOrEqual(1);
    const status = JSON.parse((await reshard(['status', ...stage.args, '--json'])).out) as {
      status: { record: { state: string } }[];
    };
    expect(status.status.map(({ record }) => record.state)).toEqual(['done', 'done', 'done', 'done']);
  });
});

async function fill(sidecar: RingClient, n: number): Promise<void> {
  const db = n % 3 === 0 ? 2 : 0;
  const ttl = String(1_000_000 + n);
  await sidecar.call('l', db, ['SET', `string:${n}`, `\x00\xff${n}`, 'PX', ttl]);
  await sidecar.call('l', db, ['HSET', `hash:${n}`, 'a', '1', 'b', String(n)]);
  await sidecar.call('l', db, ['RPUSH', `list:${n}`, 'x', String(n)]);
  await sidecar.call('l', db, ['SADD', `set:${n}`, 'x', String(n)]);
  await sidecar.call('l', db, ['ZADD', `zset:${n}`, '1.5', 'x', '2', String(n)]);
  await sidecar.call('l', db, ['XADD', `stream:${n}`, '1-1', 'f', String(n)]);
  for (const type of ['hash', 'list', 'set', 'zset', 'stream']) {
    await sidecar.call('l', db, ['PEXPIRE', `${type}:${n}`, ttl]);
  }
}

async function expectFilled(stage: Stage, n: number): Promise<void> {
  const db = n % 3 === 0 ? 2 : 0;
  const at = async (type: string, ...args: string[]): Promise<unknown> => {
    const redis = stage.owner(`${type}:${n}`);
    await redis.select(db);
    const ttl = await redis.pttl(`${type}:${n}`);
    expect(ttl).toBeGreaterThan(900_000);
    expect(ttl).toBeLessThanOrEqual(1_000_000 + n + 1000);
    const [command, ...rest] = args as [string, ...string[]];
    return redis.callBuffer(command, `${type}:${n}`, ...rest);
  };
  const text = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(text) : Buffer.isBuffer(value) ? value.latin1Slice() : value;
  expect(text(await at('string', 'GET'))).toBe(`\x00\xff${n}`);
  expect(text(await at('hash', 'HGET', 'b'))).toBe(String(n));
  expect(text(await at('list', 'LRANGE', '0', '-1'))).toEqual(['x', String(n)]);
  expect(await at('set', 'SISMEMBER', String(n))).toBe(1);
  expect(text(await at('zset', 'ZSCORE', 'x'))).toBe('1.5');
  expect(text(await at('stream', 'XRANGE', '-', '+'))).toEqual([['1-1', ['f', String(n)]]]);
}

async function expectNoneElsewhere(stage: Stage): Promise<void> {
  for (const db of [0, 2]) {
    for (const redis of stage.direct) {
      await redis.select(db);
      const keys = (await redis.keys('*')).filter((key) => !key.startsWith('nearcache:'));
      expect(keys.filter((key) => stage.owner(key) !== redis)).toEqual([]);
    }
  }
  for (const redis of stage.direct) await redis.select(0);
}

async function keysOwnedBy(stage: Stage, shard: number, keys: readonly string[]): Promise<string[]> {
  const redis = stage.direct[shard] as Redis;
  return keys.filter((key) => stage.owner(key) === redis);
}

/** Lanes that know what each of their replies must be, and counters that all lanes share. */
class Load {
  readonly wrong: string[] = [];
  readonly #sidecars: readonly RingClient[];
  readonly #counts = new Map<string, number>();
  #done = 0;
  #isOver = false;
  #running: Promise<void>[] = [];

  constructor(sidecars: readonly RingClient[]) {
    this.#sidecars = sidecars;
  }

  start(): void {
    this.#running = this.#sidecars.flatMap((sidecar, at) =>
      [0, 1, 2].map((lane) => this.#lane(sidecar, `${at}.${lane}`)),
    );
  }

  async has(more: number): Promise<void> {
    const goal = this.#done + more;
    await eventually(`${more} more commands`, async () => (this.#done >= goal ? true : undefined));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async expectCounters(stage: Stage): Promise<void> {
    for (const [key, count] of this.#counts) {
      expect(`${key} ${await stage.owner(key).get(key)}`).toBe(`${key} ${count}`);
      expect(await stage.copies(key)).toBe(1);
    }
  }

  async #lane(sidecar: RingClient, lane: string): Promise<void> {
    try {
      for (let n = 0; !this.#isOver; n++) await this.#turn(sidecar, lane, n);
    } catch (error) {
      this.wrong.push(String(error));
    }
  }

  async #turn(sidecar: RingClient, lane: string, n: number): Promise<void> {
    const counter = `counter:${n % 97}`;
    const own = `own:${lane}:${n % 211}`;
    const shared = await sidecar.call(lane, 0, ['INCR', counter]);
    if (shared.startsWith(':')) this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1);
    else this.wrong.push(`INCR ${counter}: ${shared}`);
    await this.#expect(sidecar, lane, ['DEL', own], n < 211 ? ':0\r\n' : ':1\r\n');
    await this.#expect(sidecar, lane, ['GET', own], '$-1\r\n');
    await this.#expect(sidecar, lane, ['SETNX', own, 'v'], ':1\r\n');
    await this.#expect(sidecar, lane, ['EXPIRE', own, '1000'], ':1\r\n');
    await this.#expect(sidecar, lane, ['APPEND', own, 'w'], ':2\r\n');
    this.#done += 6;
  }

  async #expect(sidecar: RingClient, lane: string, args: string[], wanted: string): Promise<void> {
    const reply = await sidecar.call(lane, 0, args);
    if (reply !== wanted) this.wrong.push(`${args.join(' ')}: ${reply} instead of ${wanted}`);
  }
}
