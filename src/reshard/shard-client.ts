import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import type { ShardConfig } from '../config/config.ts';
import type { Reply } from '../protocol/reply-parser.ts';
import type { MoverLink } from '../route/key-move.ts';
import type { CallFailure } from '../shard/call.ts';
import type { Arguments, MoveTarget } from '../route/ring-scripts.ts';

/** TLS material that all shards have in common. */
export interface CommonTls {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  readonly serverName?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 5000;
const RETRY_MAX_MS = 1000;
const CLIENT_NAME = 'nearcache-reshard';

/** One shard, as the tool speaks with it.
 *  Errors: calls reject with Redis's error, or when the shard stays away for some seconds. */
export class ShardClient {
  readonly name: string;
  readonly redis: Redis;
  readonly #config: ShardConfig;
  /** The connection whose database changes. */
  readonly #roaming: Redis;
  #db = 0;

  constructor(config: ShardConfig, tls: CommonTls) {
    this.name = config.name;
    this.#config = config;
    this.redis = new Redis(redisOptions(config, tls));
    this.#roaming = this.redis.duplicate();
    // What fails, fails the call.
    for (const redis of [this.redis, this.#roaming]) redis.on('error', () => undefined);
  }

  async connect(): Promise<void> {
    await Promise.all([this.redis.connect(), this.#roaming.connect()]);
  }

  close(): void {
    this.redis.disconnect();
    this.#roaming.disconnect();
  }

  /** Run one command in `db`. Shape: bulk strings come as Buffers. */
  call(db: number, command: Arguments): Promise<unknown> {
    const [name, ...rest] = command;
    if (db !== this.#db) {
      this.#db = db;
      // Sent in order, so nobody has to wait for it; what cannot be selected fails the command behind it as well.
      this.#roaming.select(db).catch(() => undefined);
    }
    return this.#roaming.callBuffer(String(name), ...rest);
  }

  /** The same, as a sidecar moves keys. */
  readonly link: MoverLink = {
    send: (request, db, done) => {
      void this.#answer(db, request, done);
    },
  };

  /** Where other shards reach it. */
  get target(): MoveTarget {
    const { source, user, password } = this.#config;
    if (source.kind === 'address') return { host: source.host, port: source.port, user, password };
    const { remoteAddress = '', remotePort = 0 } = this.redis.stream as {
      remoteAddress?: string;
      remotePort?: number;
    };
    return { host: remoteAddress, port: remotePort, user, password };
  }

  /** A primary that fails over may lose the last writes: wait until a replica has them, if there is one. */
  async settle(): Promise<void> {
    const { source, replicas } = this.#config;
    if (source.kind === 'sentinel' || replicas.length > 0) await this.redis.call('WAIT', '1', '1000');
  }

  async #answer(db: number, request: Arguments, done: Parameters<MoverLink['send']>[2]): Promise<void> {
    let reply: Reply;
    let failure: CallFailure | undefined;
    try {
      reply = replyOf(await this.call(db, request));
    } catch (error) {
      const { name, message } = error as Error;
      // An error reply; anything else is the loss of the connection.
      if (name === 'ReplyError') reply = { error: message };
      else failure = { kind: 'lost', reason: message };
    }
    done(reply, failure);
  }

  /** The databases that have keys. */
  async databases(): Promise<number[]> {
    const text = await this.redis.info('keyspace');
    return [...text.matchAll(/^db(\d+):/gm)].map((match) => Number(match[1]));
  }
}

/** Replies in the shapes of RESP2. */
type PlainOptions = Omit<RedisOptions, 'replyMapping'>;

function redisOptions(config: ShardConfig, common: CommonTls): PlainOptions {
  const { source, user, password } = config;
  const options: PlainOptions = {
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    connectionName: CLIENT_NAME,
    lazyConnect: true,
    protocol: 2,
    disableClientInfo: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 8,
    retryStrategy: (times) => Math.min(times * 100, RETRY_MAX_MS),
  };
  if (source.kind === 'address') {
    const { host, port } = source;
    return { ...options, host, port, ...(config.tls ? { tls: tlsOptions(common, host) } : {}) };
  }
  const { sentinels, master, sentinelUser, sentinelPassword } = source;
  return {
    ...options,
    sentinels: [...sentinels],
    name: master,
    ...(sentinelUser === undefined ? {} : { sentinelUsername: sentinelUser }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(config.tls ? { tls: tlsOptions(common, ''), enableTLSForSentinelMode: true } : {}),
  };
}

function tlsOptions({ ca, cert, key, serverName }: CommonTls, host: string): ConnectionOptions {
  const name = serverName ?? host;
  return {
    ca,
    cert,
    key,
    ...(name === '' || isIP(name) !== 0 ? {} : { servername: name }),
    ...(name === ''
      ? {}
      : { checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) }),
  };
}

/** As the mover reads replies: strings are latin1. */
function replyOf(value: unknown): Reply {
  if (Buffer.isBuffer(value)) return value.latin1Slice();
  if (Array.isArray(value)) return value.map(replyOf);
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}
