import { Client } from './client.ts';
import type { Failover } from './history.ts';
import type { Register } from './keyspace.ts';
import type { OutsideClient } from './outside-client.ts';
import { operationOf, type Stage } from './stage.ts';

/** Writes the value of a key that moves from node to node, past nearcache: of what was cached as missing on one node, no other
 *  one sends an invalidation. */
export class Nomad {
  readonly register: Register;
  readonly #stage: Stage;
  readonly #client: OutsideClient;

  constructor(stage: Stage, register: Register) {
    this.#stage = stage;
    this.register = register;
    this.#client = stage.world.outside({ proto: 2, db: 0 });
  }

  async vanish(): Promise<void> {
    await this.#write(null, ['UNLINK', this.register.key]);
  }

  async appear(): Promise<void> {
    const token = `n${this.register.lastVersion + 1}`;
    await this.#write(token, ['SET', this.register.key, token]);
  }

  /** Writes at this server, whose place another one has taken. False when it does not take it. */
  async strayTo(port: number, undoneBy: Failover): Promise<boolean> {
    const client = await Client.connect(port, { proto: 2, db: 0 }).catch(() => undefined);
    if (client === undefined) return false;
    const version = ++this.register.lastVersion;
    const token = `n${version}`;
    const outcome = await client.call('SET', this.register.key, token);
    client.close();
    if (outcome.reply !== 'OK') return false;
    this.register.history.writes.push({
      ...operationOf(outcome, 'outside', 'SET'),
      version,
      token,
      undoneBy,
    });
    return true;
  }

  async #write(token: string | null, request: readonly string[]): Promise<void> {
    const version = ++this.register.lastVersion;
    const outcome = await this.#client.call(...request);
    const operation = operationOf(outcome, 'outside', request[0] as string);
    const end = this.#stage.failed(outcome, operation) ? Infinity : operation.end;
    this.register.history.writes.push({ ...operation, version, token, end });
  }
}
