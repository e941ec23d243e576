import { writeFileSync } from 'node:fs';
import { Redis } from 'ioredis';

import { Ring } from '../../src/route/ring.ts';
import { eventually } from '../../src/drill/servers/eventually.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { RingFiles, type Tool, startReshard, ringYaml } from '../support/ring-files.ts';
import { type Ring as Servers, type RingShard, startRing } from '../support/ring-servers.ts';
import { Lane, Ledger } from './lanes.ts';

export interface DriveOptions {
  readonly keys: number;
  readonly nearcaches: number;
  readonly lanes: number;
  /** Keys a second that the tool may move. */
  readonly rate: number;
  readonly say: (text: string) => void;
}

/** What a run came to. Units: ms, keys a second. */
export interface DriveReport {
  readonly commands: number;
  readonly wrong: readonly string[];
  readonly slowestMs: number;
  readonly fastestRate: number;
  readonly kills: number;
}

const placing = { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '{}' } as const;
const TYPES = ['string', 'hash', 'list', 'set', 'zset', 'stream'] as const;
const BATCH = 2000;
/** Far beyond what a run takes. Units: ms. */
const TTL_MS = 50_000_000;

/** Four servers, nearcaches before the first three of them, and apps that know what they must be told; then the ring becomes that of four, and three
 *  again, each time with the tool killed in the middle. */
export class Drive {
  readonly ledger: Ledger = new Ledger();
  readonly #options: DriveOptions;
  readonly #servers: Servers;
  readonly #direct: Redis[];
  readonly #three: string;
  readonly #four: string;
  readonly #config: string;
  #nearcaches: Nearcache[] = [];
  #lanes: Lane[] = [];
  #running: Promise<void>[] = [];
  #fastestRate = 0;
  #kills = 0;

  private constructor(options: DriveOptions, servers: Servers) {
    this.#options = options;
    this.#servers = servers;
    this.#direct = servers.shards.map(({ server }) => new Redis(server.port, { protocol: 2 }));
    const files = new RingFiles();
    this.#three = files.write('three.yaml', ringYaml(this.#shards(3)));
    this.#four = files.write('four.yaml', ringYaml(this.#shards(4)));
    this.#config = files.write('nearcache.yaml', ringYaml(this.#shards(3), this.#shards(4)));
  }

  static async start(options: DriveOptions): Promise<Drive> {
    return new Drive(options, await startRing(4));
  }

  /** From three to four and back. Errors: rejects when a run of the tool fails. */
  async run(): Promise<DriveReport> {
    const { say, nearcaches, lanes, keys } = this.#options;
    await this.#preload();
    for (let n = 0; n < nearcaches; n++) {
      this.#nearcaches.push(await startNearcache({ upstream: undefined, flags: ['--config', this.#config] }));
    }
    const count = nearcaches * lanes;
    for (let n = 0; n < count; n++) {
      const { port } = this.#nearcaches[n % nearcaches] as Nearcache;
      const share = { remainder: n, of: count, keys };
      this.#lanes.push(new Lane({ port, name: `lane${n}`, share, valueOf }, this.ledger));
    }
    this.#running = this.#lanes.map((lane) => lane.run());
    await this.#go(2000);
    say('three shards become four');
    await this.#change(['--from', this.#three, '--to', this.#four]);
    await this.#reload(ringYaml(this.#shards(4), this.#shards(3)));
    say('four shards become three');
    await this.#change(['--from', this.#four, '--to', this.#three]);
    await this.#reload(ringYaml(this.#shards(3)));
    for (const lane of this.#lanes) lane.stop();
    await Promise.all(this.#running);
    say('comparing');
    await this.#compare(3);
    const { commands, wrong, slowestMs } = this.ledger;
    return { commands, wrong, slowestMs, fastestRate: this.#fastestRate, kills: this.#kills };
  }

  async stop(): Promise<void> {
    for (const lane of this.#lanes) lane.stop();
    await Promise.all(this.#nearcaches.map((nearcache) => nearcache.kill()));
    await Promise.all(this.#running);
    for (const redis of this.#direct) redis.disconnect();
    await this.#servers.stop();
  }

  #shards(count: number): readonly RingShard[] {
    return this.#servers.shards.slice(0, count);
  }

  /** So many more commands. */
  async #go(more: number): Promise<void> {
    const goal = this.ledger.commands + more;
    await eventually(
      `${more} more commands`,
      async () => (this.ledger.commands >= goal ? true : undefined),
      60_000,
    );
  }

  /** Run the tool, kill it in the middle, and let it go on. */
  async #change(files: readonly string[]): Promise<void> {
    const args = ['run', ...files, '--rate', `${this.#options.rate}/s`, '--json'];
    const first = startReshard(args);
    this.#watchRate(first);
    await eventually(
      'half of it is moved',
      async () => (progressOf(first) > 0.4 ? true : undefined),
      600_000,
    );
    first.kill('SIGKILL');
    await first.ended;
    this.#kills++;
    await this.#go(2000);
    const second = startReshard([...args, '--resume']);
    this.#watchRate(second);
    const { code, out, err } = await second.ended;
    if (code !== 0) throw new Error(`nearcache reshard ended with ${code}: ${err}${out.slice(-2000)}`);
    await this.#go(2000);
  }

  #watchRate(tool: Tool): void {
    let [before, at] = [0, performance.now()];
    const timer = setInterval(() => {
      const moved = lastProgress(tool)?.moved ?? 0;
      const now = performance.now();
      this.#fastestRate = Math.max(this.#fastestRate, ((moved - before) * 1000) / (now - at));
      [before, at] = [moved, now];
    }, 2000);
    void tool.ended.then(() => clearInterval(timer));
  }

  async #reload(yaml: string): Promise<void> {
    writeFileSync(this.#config, yaml);
    for (const { pid } of this.#nearcaches) process.kill(pid, 'SIGHUP');
    await this.#go(2000);
  }

  async #preload(): Promise<void> {
    const { keys, say } = this.#options;
    say(`writing ${keys} keys`);
    const ring = ringOf(this.#shards(3));
    for (let from = 0; from < keys; from += BATCH) {
      const pipelines = this.#direct.map((redis) => redis.pipeline());
      for (let n = from; n < Math.min(keys, from + BATCH); n++) {
        for (const [key, command] of preloadOf(n)) {
          const pipeline = pipelines[ownerIn(ring, key)];
          pipeline?.call(command[0] as string, ...command.slice(1));
          pipeline?.pexpire(key, TTL_MS + n);
        }
      }
      await Promise.all(pipelines.map((pipeline) => pipeline.exec()));
    }
  }

  async #compare(count: number): Promise<void> {
    const ring = ringOf(this.#shards(count));
    const { ledger } = this;
    const owner = (key: string): Redis => this.#direct[ownerIn(ring, key)] as Redis;
    const expect = (key: string, got: unknown, wanted: unknown): void => {
      if (got !== wanted) ledger.wrong.push(`${key} is ${String(got)} in the end, not ${String(wanted)}`);
    };
    for (const [key, value] of ledger.counters) expect(key, await owner(key).get(key), String(value));
    for (const [key, fields] of ledger.fields) expect(key, await owner(key).hlen(key), fields.size);
    for (const [key, length] of ledger.lengths) expect(key, await owner(key).llen(key), length);
    expect('DBSIZE of what has left', await this.#keysOn(3), 0);
    await this.#comparePreloaded(ring, expect);
  }

  async #keysOn(shard: number): Promise<number> {
    const redis = this.#direct[shard] as Redis;
    return (await redis.keys('*')).filter((key) => !key.startsWith('nearcache:')).length;
  }

  async #comparePreloaded(
    ring: Ring,
    expect: (key: string, got: unknown, wanted: unknown) => void,
  ): Promise<void> {
    const { keys } = this.#options;
    for (let from = 0; from < keys; from += BATCH) {
      const pipelines = this.#direct.map((redis) => redis.pipeline());
      const asked: { key: string; type: string; n: number; shard: number; at: number }[] = [];
      const counts = pipelines.map(() => 0);
      for (let n = from; n < Math.min(keys, from + BATCH); n++) {
        const type = typeOf(n);
        const key = keyOf(n);
        const shard = ownerIn(ring, key);
        asked.push({ key, type, n, shard, at: counts[shard] as number });
        counts[shard] = (counts[shard] as number) + 2;
        pipelines[shard]?.type(key).pttl(key);
      }
      const replies = await Promise.all(pipelines.map((pipeline) => pipeline.exec()));
      for (const { key, type, n, shard, at } of asked) {
        const [found, ttl] = [replies[shard]?.[at]?.[1], replies[shard]?.[at + 1]?.[1] as number];
        const isGone = type === 'string' && this.ledger.deleted.has(n);
        expect(key, found, isGone ? 'none' : type);
        if (!isGone) expect(`TTL of ${key}`, ttl > TTL_MS / 2 && ttl <= TTL_MS + n + 5000, true);
      }
    }
  }
}

interface Progress {
  readonly moved: number;
  readonly total: number;
}

function progressOf(tool: Tool): number {
  const progress = lastProgress(tool);
  return progress === undefined ? 0 : progress.moved / Math.max(1, progress.total);
}

function lastProgress(tool: Tool): Progress | undefined {
  const line = tool.out.split('\n').findLast((each) => each.includes('"total":') && each.endsWith('}'));
  return line === undefined ? undefined : (JSON.parse(line) as Progress);
}

function ringOf(shards: readonly RingShard[]): Ring {
  return new Ring(
    placing,
    shards.map(({ name }) => ({ name, weight: 1 })),
  );
}

function ownerIn(ring: Ring, key: string): number {
  const bytes = Buffer.from(key);
  return ring.place(bytes, 0, bytes.length);
}

/** Half are strings, which the lanes read and delete. */
function typeOf(n: number): (typeof TYPES)[number] {
  return n % 2 === 0 ? 'string' : (TYPES[1 + (((n - 1) / 2) % 5)] as (typeof TYPES)[number]);
}

function keyOf(n: number): string {
  return `pre:${n}`;
}

function valueOf(n: number): string {
  return `value of ${n}`;
}

function preloadOf(n: number): [string, string[]][] {
  const key = keyOf(n);
  const commands = {
    string: ['SET', key, valueOf(n)],
    hash: ['HSET', key, 'a', '1', 'b', String(n)],
    list: ['RPUSH', key, 'a', String(n)],
    set: ['SADD', key, 'a', String(n)],
    zset: ['ZADD', key, '1', 'a', '2', String(n)],
    stream: ['XADD', key, '1-1', 'f', String(n)],
  };
  return [[key, commands[typeOf(n)]]];
}
