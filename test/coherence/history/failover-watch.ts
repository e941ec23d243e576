import { setTimeout as delay } from 'node:timers/promises';

import { Client, type Outcome } from './client.ts';
import type { Failover } from './history.ts';
import type { Register } from './keyspace.ts';
import { type Stage, tokenOf } from './stage.ts';

const POLL_MS = 5;
/** The new primary is read for so long after nobody takes the old one for a primary any more: its last words have arrived by then. */
const AFTERMATH_MS = 400;

/** Watches servers of which one is about to become a primary, and then reads there what has come over to the new time: whatever was
 *  acknowledged before such a read and is not in it was lost. */
export class FailoverWatch {
  readonly #stage: Stage;
  readonly #concerns: (key: string) => boolean;
  readonly #ports: readonly number[];
  #isOver = false;
  readonly failover: { -readonly [K in keyof Failover]: Failover[K] };
  /** The port of the new primary. */
  readonly promoted: Promise<number>;
  readonly #reading: Promise<void>;

  /** `ports` are of those that may become it; `concerns`: which keys go with it. */
  constructor(stage: Stage, ports: readonly number[], concerns: (key: string) => boolean = () => true) {
    this.#stage = stage;
    this.#ports = ports;
    this.#concerns = concerns;
    this.failover = { promotedAt: Infinity, knownAt: Infinity };
    this.promoted = this.#untilPromoted();
    this.#reading = this.promoted.then((port) => this.#read(port));
  }

  /** Everybody knows now who the primary is. */
  known(): void {
    this.failover.knownAt = performance.now();
  }

  /** The old primary knows, too, and acknowledges nothing any more. Resolves when the new one was read after all that it had acknowledged. */
  async end(): Promise<void> {
    await delay(AFTERMATH_MS);
    this.#isOver = true;
    await this.#reading;
  }

  async #untilPromoted(): Promise<number> {
    const clients = new Map<number, Client>();
    let before = performance.now();
    try {
      for (;;) {
        const now = performance.now();
        for (const port of this.#ports) {
          // Sentinel ends the connections of whom it promotes.
          const known = clients.get(port);
          const client = known?.isClosed === false ? known : await connect(port);
          clients.set(port, client);
          const { reply } = await client.call('ROLE');
          if (!Array.isArray(reply) || reply[0] !== 'master') continue;
          this.failover.promotedAt = before;
          this.#stage.history.failovers.push(this.failover);
          return port;
        }
        before = now;
        await delay(POLL_MS);
      }
    } finally {
      for (const client of clients.values()) client.close();
    }
  }

  async #read(port: number): Promise<void> {
    let client = await connect(port);
    while (!this.#isOver) {
      if (client.isClosed) client = await connect(port);
      const { all } = this.#stage.keyspace;
      const mine = all.filter(({ key }) => this.#concerns(key));
      const requests = mine.map(({ key, field }) =>
        field === undefined ? ['GET', key] : ['HGET', key, field],
      );
      const outcomes = await Promise.all(client.send(requests));
      for (const [i, register] of mine.entries()) this.#prove(register, outcomes[i] as Outcome);
      await delay(POLL_MS);
    }
    client.close();
  }

  #prove({ history }: Register, { reply, start, end }: Outcome): void {
    if (typeof reply !== 'string' && reply !== null) return;
    history.proofs.push({ start, end, token: tokenOf(reply), failover: this.failover });
  }
}

function connect(port: number): Promise<Client> {
  return Client.connect(port, { proto: 2, db: 0 });
}
