import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { isSame } from './sentinel-answer.ts';
import type { HostPort, SentinelAnswer } from './sentinel-answer.ts';
import { SentinelLink } from './sentinel-link.ts';
import type { SentinelLinkOptions } from './sentinel-link.ts';
import { SentinelView } from './sentinel-view.ts';

export type { HostPort } from './sentinel-answer.ts';

/** Units: ms. Shape: `sentinels` is where to begin; those that they know of are asked too. */
export interface SentinelOptions extends SentinelLinkOptions {
  readonly sentinels: readonly HostPort[];
  readonly pollMs: number;
}

export interface SentinelListener {
  /** The shard's primary is another one than before, or has other replicas. The first call comes when a majority has answered,
   *  or one sentinel and `connectTimeoutMs` are over. `replicas` are those that are up and have the primary's data. */
  primary(address: HostPort, replicas: readonly HostPort[]): void;
  /** A majority of the sentinels has agreed on that primary, in answers that were all asked for at `askedAt` or later
   *  (monotonic ms). It only grows; while it does not, the primary may be an old one (coherence spec R11). */
  confirmed(askedAt: number): void;
  /** For the log: each trouble is told once, until it is over. */
  problem(text: string): void;
}

/** Sentinels that are not configured are followed up to so many in all. */
const LINKS_MAX = 16;

/** Follows the primary of one shard that Sentinel looks after: asks all sentinels every `pollMs`, and at once when one of them
 *  says that something has happened. `SentinelView` says whom to believe. Promotes nothing itself.
 *  Errors: none are thrown; a sentinel that fails delays no other and is tried again for ever, with back-off.
 *  Bounds: 2 connections a sentinel, 16 sentinels; at most 6 questions outstanding on each. */
export class SentinelWatcher {
  readonly #options: SentinelOptions;
  readonly #listener: SentinelListener;
  readonly #parts: { clock: Clock; random: Random };
  readonly #view: SentinelView;
  readonly #links = new Set<SentinelLink>();
  #startedAt = 0;
  #confirmedAt = -Infinity;
  #stopPolling: () => void = () => {};

  constructor(options: SentinelOptions, listener: SentinelListener, parts: { clock: Clock; random: Random }) {
    this.#options = options;
    this.#listener = listener;
    this.#parts = parts;
    this.#view = new SentinelView(options.sentinels.length);
  }

  start(): void {
    this.#startedAt = this.#parts.clock.now();
    for (const address of this.#options.sentinels) this.#link(address, true);
    this.#stopPolling = this.#parts.clock.every(this.#options.pollMs, () => this.#tick());
  }

  /** Ends everything; the listener hears nothing more. */
  close(): void {
    this.#stopPolling();
    for (const link of this.#links) link.close();
    this.#links.clear();
  }

  #tick(): void {
    for (const link of this.#links) void link.checkSubscription();
    this.#pollAll();
    this.#update();
  }

  #pollAll(): void {
    for (const link of this.#links) link.poll();
  }

  #update(): void {
    const now = this.#parts.clock.now();
    const view = this.#view;
    const mayGuess = now - this.#startedAt >= this.#options.connectTimeoutMs;
    if (view.update(this.#answers(), now, mayGuess) && view.primary !== undefined) {
      this.#listener.primary(view.primary, view.replicas);
    }
    if (view.confirmedAt > this.#confirmedAt) {
      this.#confirmedAt = view.confirmedAt;
      this.#listener.confirmed(view.confirmedAt);
    }
  }

  #answers(): SentinelAnswer[] {
    return [...this.#links].flatMap((link) => link.answer ?? []);
  }

  #answered(link: SentinelLink): void {
    if (!this.#links.has(link)) return;
    if (link.answer !== undefined) {
      this.#dropNeedless();
      for (const other of link.answer.others) this.#learn(other);
    }
    this.#update();
  }

  #learn(other: HostPort & { readonly id: string }): void {
    const isLinked = [...this.#links].some(
      ({ address, answer }) => isSame(address, other) || answer?.id === other.id,
    );
    if (!isLinked && this.#links.size < LINKS_MAX) this.#link({ host: other.host, port: other.port }, false);
  }

  /** A sentinel that was learned need not be asked when it is also configured, by a name, or when no other knows of it any
   *  more. */
  #dropNeedless(): void {
    for (const link of this.#links) {
      const others = [...this.#links]
        .filter((other) => other !== link)
        .flatMap((other) => other.answer ?? []);
      const isTwice = others.some((answer) => answer.id === link.answer?.id);
      const isListed = others.some((answer) => answer.others.some((each) => isSame(each, link.address)));
      if (link.isConfigured || (isListed && !isTwice) || others.length === 0) continue;
      this.#links.delete(link);
      link.close();
    }
  }

  #link(address: HostPort, isConfigured: boolean): void {
    const owner = {
      answered: (link: SentinelLink) => this.#answered(link),
      heard: () => this.#pollAll(),
      problem: (text: string) => this.#listener.problem(text),
    };
    this.#links.add(new SentinelLink(address, isConfigured, this.#options, owner, this.#parts));
  }
}
