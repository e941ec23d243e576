import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { type KeyAt, KeyMover } from '../../src/route/key-mover.ts';
import type { RingPlan } from '../../src/route/ring-change.ts';
import { GateWait, RingGate } from '../../src/route/ring-gate.ts';
import { RingWatch } from '../../src/route/ring-watch.ts';
import { type Argument, connectRaw, type RawClient } from './raw-client.ts';
import type { RingShard } from './ring-servers.ts';

const LINK_OPTIONS = { connectTimeoutMs: 1000, commandTimeoutMs: 5000 };

/** As much of a nearcache as a change of the ring concerns: it sends commands of one key to the shard that has it, over a real connection each, and
 *  moves keys first. */
export class RingClient {
  readonly watch: RingWatch;
  readonly mover: KeyMover;
  /** How long a command had to wait at most. Units: ms. */
  slowestMs = 0;
  readonly #gate: RingGate;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #links = new Map<string, Promise<RawClient>>();
  /** Commands that are out, by shard: those that name a key that leaves. */
  readonly #out: number[] = [];
  #draining: { shard: number; done: () => void }[] = [];

  constructor(
    instance: string,
    rings: { old: RingPlan; next: RingPlan | undefined },
    servers: readonly RingShard[],
  ) {
    this.#ports = new Map(servers.map(({ name, server }) => [name, server.port]));
    this.watch = new RingWatch(
      rings,
      instance,
      (name) => ({
        ...LINK_OPTIONS,
        address: () => ({ host: '127.0.0.1', port: this.#portOf(name), tls: undefined }),
        credentials: () => ({ user: undefined, password: undefined }),
      }),
      {
        drain: (shard, done) => {
          this.#draining.push({ shard, done });
          this.#tellDrained();
        },
        changed: () => this.#gate.changed(),
        isAway: () => false,
        unreachable: () => undefined,
      },
      { clock: systemClock, random: systemRandom },
    );
    const { change } = this.watch;
    this.mover = new KeyMover({
      change,
      clock: systemClock,
      link: (shard) => this.watch.link(shard),
      target: (shard) => ({ host: '127.0.0.1', port: this.#portOf(change.names[shard] as string) }),
      reread: (shard) => this.watch.link(shard).readRecord(),
    });
    this.#gate = new RingGate(change, this.mover);
    this.watch.start();
  }

  /** Run a command of one key, its first argument. Shape: `lane` = those of one lane go one after the other on a connection each; answers the
   *  frame. Errors: rejects when the key cannot be moved. */
  async call(lane: string, db: number, args: readonly Argument[]): Promise<string> {
    const began = performance.now();
    const key = Buffer.from(args[1] as string, 'latin1');
    const { change } = this.watch;
    await this.#admitted({ key, db });
    // Nothing can have happened since.
    const place = change.placeOf(key, 0, key.length);
    const counts = change.leaves(key, 0, key.length);
    if (counts) this.#out[place] = (this.#out[place] ?? 0) + 1;
    const name = change.names[place] as string;
    const link = await this.#link(`${lane}/${name}/${db}`, name, db);
    const reply = await link.call(...args);
    if (counts) this.#out[place] = (this.#out[place] as number) - 1;
    this.#tellDrained();
    this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
    return reply.toString('latin1');
  }

  close(): void {
    this.watch.close();
    for (const link of this.#links.values()) void link.then((client) => client.close());
  }

  async #admitted(key: KeyAt): Promise<void> {
    let wake = (): void => undefined;
    const wait = new GateWait(() => wake());
    for (;;) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const admission = this.#gate.admit([key], wait);
      if (admission === 'go') return;
      if (admission !== 'wait') throw new Error(admission.problem);
      await woken;
    }
  }

  #tellDrained(): void {
    const draining = this.#draining;
    this.#draining = [];
    for (const each of draining) {
      if ((this.#out[each.shard] ?? 0) > 0) this.#draining.push(each);
      else each.done();
    }
  }

  #portOf(name: string): number {
    return this.#ports.get(name) as number;
  }

  #link(id: string, name: string, db: number): Promise<RawClient> {
    let link = this.#links.get(id);
    if (link === undefined) {
      link = connectRaw({ port: this.#portOf(name) }).then(async (client) => {
        if (db !== 0) await client.call('SELECT', String(db));
        return client;
      });
      this.#links.set(id, link);
    }
    return link;
  }
}
