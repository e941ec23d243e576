import { eventually } from './eventually.ts';
import { freePorts } from './free-port.ts';
import { callRedis } from './redis-call.ts';
import type { RedisServer } from './redis-backend.ts';
import { startAll, type StartRedis, stopAll } from './redis-server.ts';

export interface SentinelsOptions {
  /** How many; default 3. A majority of them must see the primary down. */
  sentinels?: number;
  /** Default 1. */
  replicas?: number;
  /** Default 1000. */
  downAfterMs?: number;
  /** Default 3000. Sentinels that could not agree on who leads try again after twice as long. */
  failoverTimeoutMs?: number;
  /** Default mymaster. */
  masterName?: string;
  /** Of the primary and its replicas. */
  password?: string;
  /** Of the sentinels. */
  sentinelPassword?: string;
  /** Default true: sentinels gossip and look more often than they would, so that it takes less time. False where the
   *  time that Sentinel takes is what is measured. */
  isHasty?: boolean;
}

/** What one sentinel believes. */
export interface SentinelBelief {
  readonly port: number;
  readonly epoch: number;
  readonly flags: readonly string[];
}

/** Starts a primary, its replicas and the sentinels that watch it, and waits until all sentinels know all of them.
 *  Cost: 1 to 3 seconds.
 *  Errors: rejects when that takes more than 20 seconds; what was started is ended. */
export async function startSentinelsOn(
  startRedis: StartRedis,
  options: SentinelsOptions,
): Promise<SentinelSet> {
  const set = new SentinelSet(startRedis, options);
  try {
    await set.start();
  } catch (error) {
    await set.stop();
    throw error;
  }
  return set;
}

export class SentinelSet {
  readonly masterName: string;
  readonly #startRedis: StartRedis;
  readonly #options: SentinelsOptions;
  #servers: RedisServer[] = [];
  #sentinels: RedisServer[] = [];

  /** Use `startSentinelsOn`. */
  constructor(startRedis: StartRedis, options: SentinelsOptions) {
    this.#startRedis = startRedis;
    this.#options = options;
    this.masterName = options.masterName ?? 'mymaster';
  }

  /** The data servers; the first one began as the primary. */
  get servers(): readonly RedisServer[] {
    return this.#servers;
  }

  get sentinels(): readonly RedisServer[] {
    return this.#sentinels;
  }

  /** As `--upstream` takes it. */
  get url(): string {
    const { password } = this.#options;
    const auth = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
    const hosts = this.#sentinels.map(({ host, port }) => `${host}:${port}`).join(',');
    return `redis+sentinel://${auth}${hosts}/${this.masterName}`;
  }

  /** Use `startSentinelsOn`. */
  async start(): Promise<void> {
    const { sentinels = 3, replicas = 1, password, sentinelPassword } = this.#options;
    const ports = await freePorts(1 + replicas + sentinels);
    const [primaryPort, ...replicaPorts] = ports.slice(0, 1 + replicas) as [number, ...number[]];
    const auth = password === undefined ? {} : { password };
    const args = [
      '--repl-diskless-sync-delay',
      '0',
      ...(password === undefined ? [] : ['--masterauth', password]),
    ];
    const primary = await this.#startRedis({ port: primaryPort, ...auth, args });
    this.#servers = [primary];
    const following = [...args, '--replicaof', `${primary.host} ${primaryPort}`];
    this.#servers.push(
      ...(await startAll(
        replicaPorts.map((port) => () => this.#startRedis({ port, ...auth, args: following })),
      )),
    );
    await Promise.all(this.#servers.slice(1).map((server) => this.#synced(server)));
    const sentinelAuth = sentinelPassword === undefined ? {} : { password: sentinelPassword };
    const sentinelConfig = this.#config(primaryPort, Math.floor(sentinels / 2) + 1);
    this.#sentinels = await startAll(
      ports
        .slice(1 + replicas)
        .map((port) => () => this.#startRedis({ port, ...sentinelAuth, sentinelConfig })),
    );
    if (this.#options.isHasty ?? true) await Promise.all(this.#sentinels.map((each) => this.#hasten(each)));
    await this.settled();
  }

  /** The server that the sentinels with the newest configuration name as the primary; frozen ones are passed over.
   *  Errors: rejects when no sentinel answers. */
  async primary(): Promise<RedisServer> {
    const beliefs = await this.beliefs();
    const [newest] = beliefs.toSorted((a, b) => b.epoch - a.epoch);
    const server = this.#servers.find(({ port }) => port === newest?.port);
    if (server === undefined) throw new Error('no sentinel names a primary');
    return server;
  }

  /** Of the sentinels that answer within half a second. */
  beliefs(): Promise<SentinelBelief[]> {
    return this.#ofThoseThatAnswer((sentinel) => this.#belief(sentinel));
  }

  /** Has Sentinel promote a replica while the primary lives, and waits until all sentinels that answer name the new one,
   *  with which this resolves. */
  async failover(): Promise<RedisServer> {
    const before = await this.primary();
    await eventually('the replicas follow the primary', async () => {
      // A sentinel that has not seen it yet would make the promoted one a replica again.
      const seen = await this.#ofThoseThatAnswer((sentinel) => this.#replicasSeenBy(sentinel));
      const up = seen.map((replicas) => replicas.filter((replica) => replica.get('flags') === 'slave'));
      return up.every((replicas) => replicas.length > 0 && replicas.every(follows)) ? true : undefined;
    });
    await eventually('a sentinel starts a failover', async () => {
      for (const sentinel of this.#sentinels) {
        const reply = await this.#ask(sentinel, ['SENTINEL', 'FAILOVER', this.masterName]).catch(String);
        if (reply === 'OK' || String(reply).includes('INPROG')) return true;
      }
      return undefined;
    });
    return this.switchedFrom(before);
  }

  /** Resolves with the new primary once all sentinels that answer name the same other one than `before` and no failover
   *  is under way. */
  switchedFrom(before: RedisServer): Promise<RedisServer> {
    return eventually('all sentinels name the new primary', async () => {
      const beliefs = await this.beliefs();
      const [{ port, epoch } = { port: before.port, epoch: 0 }] = beliefs;
      const agree = beliefs.every(
        (belief) =>
          belief.port === port && belief.epoch === epoch && !belief.flags.includes('failover_in_progress'),
      );
      return agree && port !== before.port ? this.#servers.find((server) => server.port === port) : undefined;
    });
  }

  /** Kills the primary of now without a word, and resolves with it. */
  async killPrimary(): Promise<RedisServer> {
    const primary = await this.primary();
    await primary.kill('SIGKILL');
    return primary;
  }

  /** Freezes the primary of now: its connections stay open. Resolves with it; `kill('SIGCONT')` resumes it. */
  async pausePrimary(): Promise<RedisServer> {
    const primary = await this.primary();
    await primary.kill('SIGSTOP');
    return primary;
  }

  /** Resolves when every sentinel knows all others and sees all data servers up. */
  async settled(): Promise<void> {
    await eventually('the sentinels know everything', async () => {
      const all = await Promise.all(this.#sentinels.map((sentinel) => this.#knowsAll(sentinel)));
      return all.every(Boolean) ? true : undefined;
    });
  }

  /** Ends all; does nothing the second time. */
  async stop(): Promise<void> {
    await stopAll([...this.#sentinels, ...this.#servers]);
  }

  #config(primaryPort: number, quorum: number): string {
    const { downAfterMs = 1000, failoverTimeoutMs = 3000, password, sentinelPassword } = this.#options;
    const name = this.masterName;
    return [
      `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${quorum}`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
      `sentinel failover-timeout ${name} ${failoverTimeoutMs}`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
      ...(sentinelPassword === undefined ? [] : [`sentinel sentinel-pass ${sentinelPassword}`]),
      '',
    ].join('\n');
  }

  /** Source: sentinel.c, `sentinelSetDebugConfigParameters` (Redis 7.0). */
  async #hasten(sentinel: RedisServer): Promise<void> {
    const periods = { 'ask-period': 200, 'info-period': 500, 'ping-period': 200, 'publish-period': 200 };
    await this.#ask(sentinel, ['SENTINEL', 'DEBUG', ...Object.entries(periods).flat()]);
  }

  async #belief(sentinel: RedisServer): Promise<SentinelBelief> {
    const [, port] = (await this.#ask(sentinel, [
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      this.masterName,
    ])) as string[];
    const primary = await this.#primarySeenBy(sentinel);
    return {
      port: Number(port),
      epoch: Number(primary.get('config-epoch')),
      flags: primary.get('flags')?.split(',') ?? [],
    };
  }

  async #knowsAll(sentinel: RedisServer): Promise<boolean> {
    const primary = await this.#primarySeenBy(sentinel);
    const replicas = await this.#replicasSeenBy(sentinel);
    return (
      primary.get('flags') === 'master' &&
      Number(primary.get('num-other-sentinels')) === this.#sentinels.length - 1 &&
      replicas.length === this.#servers.length - 1 &&
      replicas.every((replica) => replica.get('flags') === 'slave' && follows(replica))
    );
  }

  async #ofThoseThatAnswer<T>(question: (sentinel: RedisServer) => Promise<T>): Promise<T[]> {
    const answers = await Promise.allSettled(this.#sentinels.map(question));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  async #replicasSeenBy(sentinel: RedisServer): Promise<Map<string, string>[]> {
    const replicas = await this.#ask(sentinel, ['SENTINEL', 'REPLICAS', this.masterName]);
    return (replicas as string[][]).map(fieldsOf);
  }

  async #primarySeenBy(sentinel: RedisServer): Promise<Map<string, string>> {
    return fieldsOf((await this.#ask(sentinel, ['SENTINEL', 'MASTER', this.masterName])) as string[]);
  }

  #ask(sentinel: RedisServer, args: readonly (string | number)[]): Promise<unknown> {
    const { host, port } = sentinel;
    return callRedis({ host, port, password: this.#options.sentinelPassword }, args, 500);
  }

  async #synced({ host, port }: RedisServer): Promise<void> {
    await eventually('the replica has its data', async () => {
      const info = await callRedis({ host, port, password: this.#options.password }, ['INFO', 'replication']);
      return String(info).includes('master_link_status:up') ? true : undefined;
    });
  }
}

function follows(replica: Map<string, string>): boolean {
  return replica.get('role-reported') === 'slave' && replica.get('master-link-status') === 'ok';
}

function fieldsOf(flat: readonly string[]): Map<string, string> {
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string]] : [])));
}
