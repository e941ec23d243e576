import type { ShardStats } from './shard-stats.ts';
import { SUBSCRIPTION_KINDS, type SubscriptionKind } from './pubsub-frame.ts';

/** Who cares for one name. */
interface Interest<T> {
  /** Whoever hears it or has asked to, and for how many reasons: 1 for hearing it, 1 for each command on its way. Whoever
   *  has sent its UNSUBSCRIBE wants it no more. */
  readonly wanting: Map<T, number>;
  /** To whom messages go. */
  readonly hearing: Set<T>;
  /** Redis has confirmed it, and nothing else since. */
  isOn: boolean;
}

const NOBODY: ReadonlySet<never> = new Set<never>();

/** Which names the subscribers of one connection want and hear. Two views, since commands are on their way: `wanting` is
 *  how it will be once Redis has taken all that was sent, which decides whether an UNSUBSCRIBE may go out; `hearing` is how it was
 *  at the last frame that came, which decides where a message goes.
 *  Bounds: what its users subscribe to. Cost: O(1) a name. */
export class Interests<T> {
  readonly #byKind = new Map<SubscriptionKind, Map<string, Interest<T>>>(
    SUBSCRIPTION_KINDS.map((kind) => [kind, new Map()]),
  );
  readonly #stats: ShardStats;
  /** Names that somebody wants. */
  wanted = 0;

  constructor(stats: ShardStats) {
    this.#stats = stats;
  }

  hearing(kind: SubscriptionKind, name: string): ReadonlySet<T> {
    return this.#of(kind).get(name)?.hearing ?? NOBODY;
  }

  isWanted(kind: SubscriptionKind, name: string): boolean {
    return (this.#of(kind).get(name)?.wanting.size ?? 0) > 0;
  }

  isOn(kind: SubscriptionKind, name: string): boolean {
    return this.#of(kind).get(name)?.isOn === true;
  }

  /** One more reason for `who` to want it. */
  want(who: T, kind: SubscriptionKind, name: string): void {
    const names = this.#of(kind);
    let interest = names.get(name);
    if (interest === undefined) {
      interest = { wanting: new Map(), hearing: new Set(), isOn: false };
      names.set(name, interest);
    }
    if (interest.wanting.size === 0) this.wanted++;
    interest.wanting.set(who, (interest.wanting.get(who) ?? 0) + 1);
  }

  /** One reason less; all when `who` leaves for good. */
  unwant(who: T, kind: SubscriptionKind, name: string, all = false): void {
    const interest = this.#of(kind).get(name);
    const reasons = interest?.wanting.get(who);
    if (interest === undefined || reasons === undefined) return;
    if (!all && reasons > 1) return void interest.wanting.set(who, reasons - 1);
    interest.wanting.delete(who);
    if (interest.wanting.size === 0) this.wanted--;
    this.#dropUnused(kind, name, interest);
  }

  /** What it wanted has been confirmed: from now on it hears. */
  hear(who: T, kind: SubscriptionKind, name: string): void {
    const interest = this.#of(kind).get(name);
    if (interest?.wanting.has(who) !== true) return;
    // Subscribed twice, it has one reason.
    if (interest.hearing.has(who)) this.unwant(who, kind, name);
    else interest.hearing.add(who);
  }

  unhear(who: T, kind: SubscriptionKind, name: string): void {
    const interest = this.#of(kind).get(name);
    if (interest?.hearing.delete(who) === true) this.#dropUnused(kind, name, interest);
  }

  /** Redis says that the connection is, or is no more, subscribed. */
  confirmed(kind: SubscriptionKind, name: string, isOn: boolean): void {
    const names = this.#of(kind);
    let interest = names.get(name);
    if (interest === undefined) {
      if (!isOn) return;
      interest = { wanting: new Map(), hearing: new Set(), isOn: false };
      names.set(name, interest);
    }
    if (interest.isOn !== isOn) this.#stats.subscriptions += isOn ? 1 : -1;
    interest.isOn = isOn;
    this.#dropUnused(kind, name, interest);
  }

  /** Forget everything; returns whoever heard something. */
  clear(): ReadonlySet<T> {
    const all = new Set<T>();
    for (const names of this.#byKind.values()) {
      for (const { hearing, isOn } of names.values()) {
        for (const who of hearing) all.add(who);
        if (isOn) this.#stats.subscriptions--;
      }
      names.clear();
    }
    this.wanted = 0;
    return all;
  }

  #of(kind: SubscriptionKind): Map<string, Interest<T>> {
    return this.#byKind.get(kind) as Map<string, Interest<T>>;
  }

  #dropUnused(kind: SubscriptionKind, name: string, interest: Interest<T>): void {
    if (interest.wanting.size > 0 || interest.hearing.size > 0 || interest.isOn) return;
    this.#of(kind).delete(name);
  }
}
