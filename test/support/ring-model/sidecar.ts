import type { Clock } from '../../../src/base/clock.ts';
import { KeyMover } from '../../../src/route/key-mover.ts';
import { RingChange, type RingPlan } from '../../../src/route/ring-change.ts';
import { GateWait, RingGate } from '../../../src/route/ring-gate.ts';
import { reportName } from '../../../src/route/ring-report.ts';
import type { Operation } from './history.ts';
import { type ModelFaults, ModelLink, type ModelServer } from './server.ts';

/** A nearcache as far as a change of the ring concerns it: the real RingChange and KeyMover on links of the model. It has one session, which sends
 *  its commands one after the other. */
export class ModelSidecar {
  readonly change: RingChange;
  readonly history: Operation[] = [];
  readonly dataLinks: readonly ModelLink[];
  readonly ringLinks: readonly ModelLink[];
  readonly failures: string[] = [];
  readonly #gate: RingGate;
  readonly #wait: GateWait;
  readonly #commands: (readonly string[])[];
  readonly #now: () => number;
  readonly #faults: ModelFaults;
  readonly #instance: string;
  readonly #draining: { shard: number; done: () => void }[] = [];
  #again: () => void = () => undefined;
  #isBusy = false;
  #sentTo = -1;
  #isConnecting = false;
  #names: string[] = [];

  constructor(
    instance: string,
    rings: { old: RingPlan; next: RingPlan },
    servers: readonly ModelServer[],
    commands: readonly (readonly string[])[],
    parts: { clock: Clock; now: () => number; faults: ModelFaults; isEager: boolean },
  ) {
    this.#instance = instance;
    this.#commands = [...commands];
    this.#now = parts.now;
    this.#faults = parts.faults;
    this.dataLinks = servers.map((server) => new ModelLink(server, parts.isEager));
    this.ringLinks = servers.map((server) => new ModelLink(server, parts.isEager));
    this.change = new RingChange(rings.old, rings.next, {
      drain: (shard, done) => {
        this.#draining.push({ shard, done });
        this.#drained();
      },
      changed: () => {
        this.#gate.changed();
      },
      report: (shard) => this.#report(shard),
      isAway: () => false,
    });
    this.#wait = new GateWait(() => this.#again());
    const mover = new KeyMover({
      change: this.change,
      clock: parts.clock,
      link: (shard) => this.ringLinks[shard] as ModelLink,
      target: (shard) => ({ host: 'model', port: shard }),
      reread: (shard) => this.poll(shard),
      knownMax: 4,
    });
    this.#gate = new RingGate(this.change, mover);
  }

  get isDone(): boolean {
    return this.#commands.length === 0 && !this.#isBusy;
  }

  /** Ask a shard for its record. */
  poll(shard: number): void {
    this.#link(shard).send(['GET', 'nearcache:ring'], 0, (reply) => {
      this.change.read(shard, typeof reply === 'string' ? reply : '');
      this.#report(shard);
    });
  }

  /** It is known there from the beginning. */
  connect(shard: number, server: ModelServer): void {
    this.#isConnecting = true;
    this.change.read(shard, server.line);
    this.#isConnecting = false;
    this.#names[shard] = reportName(this.change.reportOf(shard, this.#instance));
    server.names.set(this.#link(shard), this.#names[shard]);
  }

  /** The app sends its next command, if the last one was answered. */
  get next(): (() => void) | undefined {
    if (this.#isBusy || this.#commands.length === 0) return undefined;
    return () => {
      this.#isBusy = true;
      const args = this.#commands.shift() as readonly string[];
      const operation: Operation = { args, began: this.#now(), ended: Infinity, reply: undefined };
      this.history.push(operation);
      this.#dispatch(operation);
    };
  }

  get links(): readonly ModelLink[] {
    return [...this.dataLinks, ...this.ringLinks];
  }

  #dispatch(operation: Operation): void {
    const key = Buffer.from(operation.args[1] as string);
    this.#again = () => this.#dispatch(operation);
    const keys = this.#faults.movesNothing === true ? [] : [{ key, db: 0 }];
    const admission = this.#gate.admit(keys, this.#wait);
    if (admission === 'wait') return;
    if (admission !== 'go') {
      this.failures.push(admission.problem);
      // It ran nowhere.
      this.history.splice(this.history.indexOf(operation), 1);
      this.#isBusy = false;
      return;
    }
    const place = this.change.placeOf(key, 0, key.length);
    this.#sentTo = place;
    (this.dataLinks[place] as ModelLink).send(operation.args, 0, (reply) => {
      operation.reply = reply;
      operation.ended = this.#now();
      this.#sentTo = -1;
      this.#isBusy = false;
      this.#drained();
    });
  }

  #drained(): void {
    for (const { shard, done } of this.#draining.splice(0)) {
      if (this.#sentTo === shard && this.#faults.forgetsOutstanding !== true)
        this.#draining.push({ shard, done });
      else done();
    }
  }

  #report(shard: number): void {
    const name = reportName(this.change.reportOf(shard, this.#instance));
    if (name === this.#names[shard] || this.#isConnecting) return;
    this.#names[shard] = name;
    this.#link(shard).send(['CLIENT', 'SETNAME', name], 0, () => undefined);
  }

  #link(shard: number): ModelLink {
    return this.ringLinks[shard] as ModelLink;
  }
}
