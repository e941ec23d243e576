import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { Backoff } from '../shard/backoff.ts';
import { ShardStats } from '../shard/shard-stats.ts';
import { RingChange, type RingChangeHost, type RingPlan } from './ring-change.ts';
import { RingLink, type RingLinkOptions } from './ring-link.ts';
import { nextRecord, printRecord, RING_KEY } from './ring-record.ts';
import { reportName } from './ring-report.ts';
import { STEP_SCRIPT } from './ring-scripts.ts';

/** What the host of a change does, less what the watch does itself. */
export interface RingWatchHost extends Omit<RingChangeHost, 'report'> {
  /** No connection to the shard could be made; called before the change hears of it. */
  unreachable(shard: number, reason: string): void;
}

/** How often a record is read: while nothing happens, and while a change is configured or under way. Units: ms. */
const IDLE_MS = 1000;
const BUSY_MS = 50;
/** A hold that has lasted so long is given up: whoever asked for it may be gone. Units: ms. */
const HOLD_MAX_MS = 3000;
/** A shard whose own link is up is asked so often before commands are told that its record cannot be had. */
const TRIES = 3;
const RECONNECT_BASE_MS = 20;
const RECONNECT_MAX_MS = 1000;

/** Keeps a RingChange up to date with the records of all shards, and tells them how far this nearcache is.
 *  Cost: one connection a shard; one GET a second on it, 20 while a change is configured and not done. */
export class RingWatch {
  readonly change: RingChange;
  readonly #links: readonly RingLink[];
  readonly #heldSince: number[];
  /** By shard: tries in vain since its record was read. */
  readonly #failures: number[];
  readonly #clock: Clock;
  readonly #instance: string;
  #stop: (() => void) | undefined;
  #lastIdleRead = 0;

  /** `optionsOf` says how a shard is reached. `instance`: 1 to 32 letters and digits that nobody else has. */
  constructor(
    rings: { old: RingPlan; next: RingPlan | undefined },
    instance: string,
    optionsOf: (name: string) => RingLinkOptions,
    host: RingWatchHost,
    parts: { clock: Clock; random: Random },
  ) {
    this.#clock = parts.clock;
    this.#instance = instance;
    this.change = new RingChange(rings.old, rings.next, {
      drain: (shard, done) => host.drain(shard, done),
      changed: () => host.changed(),
      isAway: (shard) => host.isAway(shard),
      report: (shard) => this.#links[shard]?.rename(),
    });
    const stats = new ShardStats();
    this.#heldSince = this.change.names.map(() => -1);
    this.#failures = this.change.names.map(() => 0);
    this.#links = this.change.names.map(
      (name, shard) =>
        new RingLink(
          optionsOf(name),
          {
            clock: parts.clock,
            backoff: new Backoff(RECONNECT_BASE_MS, RECONNECT_MAX_MS, parts.random),
            stats,
          },
          {
            name: () => reportName(this.change.reportOf(shard, instance)),
            read: (line) => this.#read(shard, line),
            lost: (problem) => {
              if (problem !== undefined) host.unreachable(shard, problem);
              this.#lost(shard, problem, host.isAway(shard));
            },
          },
        ),
    );
  }

  start(): void {
    for (const link of this.#links) link.start();
    this.#stop ??= this.#clock.every(BUSY_MS, () => this.#tick());
  }

  close(): void {
    this.#stop?.();
    for (const link of this.#links) link.close();
  }

  /** The connection to a shard on which its keys are moved. */
  link(shard: number): RingLink {
    return this.#links[shard] as RingLink;
  }

  /** The shard's own link is up again: its record is asked for at once, and worth waiting for. */
  retry(shard: number): void {
    this.#failures[shard] = 0;
    this.change.expect(shard);
    this.link(shard).retryNow();
  }

  get instance(): string {
    return this.#instance;
  }

  /** Two links to a shard do not find out at the same time: while its own seems to be up, one failed try is no problem yet. */
  #lost(shard: number, problem: string | undefined, isAway: boolean): void {
    const failures = (this.#failures[shard] as number) + 1;
    this.#failures[shard] = failures;
    this.change.lost(shard, isAway || failures >= TRIES ? problem : undefined);
  }

  #read(shard: number, line: string): void {
    this.#failures[shard] = 0;
    this.change.read(shard, line);
    const isHeld = this.change.recordOf(shard)?.state === 'hold';
    if (!isHeld) this.#heldSince[shard] = -1;
    else if (this.#heldSince[shard] === -1) this.#heldSince[shard] = this.#clock.now();
  }

  #tick(): void {
    const now = this.#clock.now();
    const isIdle = now - this.#lastIdleRead >= IDLE_MS;
    if (isIdle) this.#lastIdleRead = now;
    this.#links.forEach((link, shard) => {
      link.tick(now);
      if (isIdle || this.#isBusy(shard)) link.readRecord();
      const since = this.#heldSince[shard] as number;
      if (since !== -1 && now - since > HOLD_MAX_MS) this.#giveUpHold(shard, now);
    });
  }

  #isBusy(shard: number): boolean {
    const record = this.change.recordOf(shard);
    return record?.state === 'prepared' || record?.state === 'hold' || record?.state === 'migrating';
  }

  /** All nearcaches try; the record lets one of them. It is refused when the hold was ended otherwise meanwhile. */
  #giveUpHold(shard: number, now: number): void {
    const record = this.change.recordOf(shard);
    if (record === undefined || record.state !== 'hold') return;
    this.#heldSince[shard] = now;
    const line = printRecord(nextRecord(record, 'prepared'));
    const step = ['EVAL', STEP_SCRIPT, '1', RING_KEY, printRecord(record), line];
    this.link(shard).send(step, 0, () => this.link(shard).readRecord());
  }
}
