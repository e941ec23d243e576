import { Redis } from 'ioredis';

import type { RedisServer } from '../../support/redis-server.ts';
import type { SentinelSet } from '../../../src/drill/servers/redis-sentinel.ts';
import { startSentinels } from '../../support/redis-sentinel.ts';
import type { Backend } from './backend.ts';
import { PrimaryDirectory } from './directory.ts';
import { LinkRelay } from './relay.ts';
import { UpstreamReads } from './upstream-reads.ts';

const POLL_MS = 20;

/** A primary, its replica and three Sentinels. What these say of addresses is translated on the way to nearcache, so that it stays
 *  behind the relays. Other programs go to whom the Sentinels name, as soon as one of them does. */
export class SentinelBackend implements Backend {
  readonly upstream: string;
  readonly relays: readonly LinkRelay[];
  readonly reads: UpstreamReads;
  readonly directory: PrimaryDirectory;
  readonly set: SentinelSet;
  readonly #sentinelRelays: readonly LinkRelay[];
  readonly #polls: NodeJS.Timeout[] = [];
  readonly #askers: Redis[];
  #epoch = -1;

  private constructor(
    set: SentinelSet,
    relays: readonly LinkRelay[],
    sentinelRelays: readonly LinkRelay[],
    reads: UpstreamReads,
  ) {
    this.set = set;
    this.relays = relays;
    this.#sentinelRelays = sentinelRelays;
    this.reads = reads;
    const hosts = sentinelRelays.map(({ port }) => `127.0.0.1:${port}`);
    this.upstream = `redis+sentinel://${hosts.join(',')}/${set.masterName}`;
    this.directory = new PrimaryDirectory(set.servers[0]?.port as number);
    this.#askers = set.sentinels.map(({ host, port }) => new Redis({ host, port, protocol: 2 }));
    for (const asker of this.#askers) {
      asker.on('error', () => {});
      this.#polls.push(setInterval(() => void this.#follow(asker), POLL_MS));
    }
  }

  static async start(random: () => number): Promise<SentinelBackend> {
    const set = await startSentinels({ downAfterMs: 700 });
    const reads = new UpstreamReads();
    const words = new Map<string, string>();
    const behind = (servers: readonly RedisServer[], heard: UpstreamReads): Promise<LinkRelay[]> =>
      Promise.all(servers.map(({ port }) => LinkRelay.start(port, random, { reads: heard, words })));
    const relays = await behind(set.servers, reads);
    const sentinelRelays = await behind(set.sentinels, new UpstreamReads());
    for (const [i, { port }] of [...set.servers, ...set.sentinels].entries()) {
      words.set(`\r\n${port}\r\n`, `\r\n${[...relays, ...sentinelRelays][i]?.port}\r\n`);
    }
    return new SentinelBackend(set, relays, sentinelRelays, reads);
  }

  async stop(): Promise<void> {
    for (const poll of this.#polls) clearInterval(poll);
    for (const asker of this.#askers) asker.disconnect();
    await Promise.all([...this.relays, ...this.#sentinelRelays].map((relay) => relay.stop()));
    await this.set.stop();
  }

  /** The one with the newest configuration is right. */
  async #follow(asker: Redis): Promise<void> {
    const name = this.set.masterName;
    const [address, fields] = await Promise.all([
      asker.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name),
      asker.call('SENTINEL', 'MASTER', name),
    ]).catch(() => []);
    if (!Array.isArray(address) || !Array.isArray(fields)) return;
    const epoch = Number(fields[fields.indexOf('config-epoch') + 1]);
    if (epoch <= this.#epoch) return;
    this.#epoch = epoch;
    this.directory.port = Number(address[1]);
  }
}
