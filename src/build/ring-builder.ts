import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { Config, HostPort, RingConfig, ShardConfig } from '../config/config.ts';
import type { RingSetup, Watcher } from '../route/ring-upstream.ts';
import { SentinelWatcher } from '../shard/sentinel.ts';
import type { Shard } from '../shard/shard.ts';
import type { ShardMaker } from './shard-maker.ts';

interface Made {
  config: ShardConfig;
  readonly shard: Shard;
  readonly watcher: Watcher | undefined;
}

/** Where a shard is before its Sentinels have said so. */
const NOWHERE = { host: '127.0.0.1', port: 0 };

/** Makes the shards of rings. What a ring has in common with the one before stays as it is, with its links and entries; a shard
 *  whose address alone has changed moves there. */
export class RingBuilder {
  readonly #config: Config;
  readonly #maker: ShardMaker;
  readonly #log: Logger;
  #made: ReadonlyMap<string, Made> = new Map();

  constructor(config: Config, maker: ShardMaker, log: Logger) {
    this.#config = config;
    this.#maker = maker;
    this.#log = log;
  }

  setup(ring: RingConfig): RingSetup {
    const configs = [...ring.shards, ...(ring.next?.shards ?? [])];
    const byName = new Map(configs.toReversed().map((config) => [config.name, config]));
    const names = [...new Set(configs.map(({ name }) => name))];
    const made = new Map(names.map((name) => [name, this.#shardOf(byName.get(name) as ShardConfig)]));
    this.#made = made;
    return {
      old: ring,
      next: ring.next,
      shards: [...made.values()].map(({ shard }) => shard),
      watchers: [...made.values()].flatMap(({ watcher }) => watcher ?? []),
    };
  }

  #shardOf(config: ShardConfig): Made {
    const known = this.#made.get(config.name);
    if (known === undefined || !isSameAccess(known.config, config)) return this.#make(config);
    known.config = config;
    if (config.source.kind === 'address') {
      known.shard.moveTo(config.source.host, config.source.port);
      known.shard.replicas?.follow(config.replicas);
    }
    return known;
  }

  #make(config: ShardConfig): Made {
    const { source } = config;
    if (source.kind === 'address') {
      return { config, shard: this.#maker.make(config.name, source, config), watcher: undefined };
    }
    const shard = this.#maker.make(config.name, NOWHERE, config, true);
    const options = {
      sentinels: source.sentinels,
      master: source.master,
      user: source.sentinelUser,
      password: source.sentinelPassword,
      tls: config.tls ? this.#maker.addressOf(NOWHERE, config).tls : undefined,
      pollMs: this.#config.topologyRefreshMs,
      connectTimeoutMs: this.#config.connectTimeoutMs,
    };
    const listener = {
      primary: ({ host, port }: HostPort, replicas: readonly HostPort[]) => {
        shard.moveTo(host, port);
        shard.replicas?.follow([...config.replicas, ...replicas]);
      },
      confirmed: (askedAt: number) => {
        if (shard.confirmation !== undefined) shard.confirmation.askedAt = askedAt;
      },
      problem: (text: string) => this.#log.warn({ shard: config.name, reason: text }, 'Sentinel'),
    };
    const watcher = new SentinelWatcher(options, listener, { clock: systemClock, random: systemRandom });
    return { config, shard, watcher };
  }
}

/** The same but for the address: the links may go on, or follow. */
function isSameAccess(before: ShardConfig, after: ShardConfig): boolean {
  const access = ({ tls, user, password, source }: ShardConfig): unknown => [
    { tls, user, password },
    source.kind === 'address' ? '' : source,
  ];
  return isDeepStrictEqual(access(before), access(after));
}
