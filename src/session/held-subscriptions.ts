import { SUBSCRIBE_VERBS, SUBSCRIPTION_KINDS, type SubscriptionKind } from '../shard/pubsub-frame.ts';
import type { Subscriber } from '../shard/subscriber.ts';

/** What a name takes besides its characters, here and at its subscriber. */
const NAME_BYTES = 256;
const NOWHERE: readonly Subscriber[] = [];

/** What one session has subscribed to, and at which subscribers. Shape: names are latin1.
 *  Cost: O(1) a name. */
export class HeldSubscriptions {
  readonly #byKind: Readonly<Record<SubscriptionKind, Map<string, readonly Subscriber[]>>> = {
    channel: new Map(),
    pattern: new Map(),
    shard: new Map(),
  };

  /** Of all kinds. */
  size = 0;
  /** Memory that the names take. Units: bytes. */
  bytes = 0;

  /** In the order in which they were subscribed to. */
  of(kind: SubscriptionKind): ReadonlyMap<string, readonly Subscriber[]> {
    return this.#byKind[kind];
  }

  /** Redis counts channels of shards apart. */
  countBeside(kind: SubscriptionKind): number {
    const { channel, pattern, shard } = this.#byKind;
    return kind === 'shard' ? shard.size : channel.size + pattern.size;
  }

  /** Returns where it was before. */
  set(kind: SubscriptionKind, name: string, homes: readonly Subscriber[]): readonly Subscriber[] {
    const before = this.#byKind[kind].get(name) ?? NOWHERE;
    this.#byKind[kind].set(name, homes);
    if (before === NOWHERE) {
      this.size++;
      this.bytes += name.length + NAME_BYTES;
    }
    return before;
  }

  delete(kind: SubscriptionKind, name: string): void {
    if (!this.#byKind[kind].delete(name)) return;
    this.size--;
    this.bytes -= name.length + NAME_BYTES;
  }

  clear(): void {
    for (const kind of SUBSCRIPTION_KINDS) this.#byKind[kind].clear();
    this.size = 0;
    this.bytes = 0;
  }

  /** What each subscriber has of a kind. */
  bySubscriber(kind: SubscriptionKind): Map<Subscriber, string[]> {
    return groupBySubscriber(this.#byKind[kind]);
  }

  /** Is everything where it should be now? */
  isAt(homesOf: (kind: SubscriptionKind, name: string) => readonly Subscriber[]): boolean {
    return SUBSCRIPTION_KINDS.every((kind) =>
      [...this.#byKind[kind]].every(([name, homes]) => {
        const now = homesOf(kind, name);
        return now.length === homes.length && now.every((home) => homes.includes(home));
      }),
    );
  }

  /** A subscriber that has something. */
  get someone(): Subscriber | undefined {
    for (const kind of SUBSCRIPTION_KINDS) {
      for (const [home] of this.#byKind[kind].values()) return home;
    }
    return undefined;
  }

  /** A command that would subscribe to something of this again. Shape: for `encodeRequest`; empty when there is nothing. */
  get asCommand(): readonly (string | Buffer)[] {
    for (const { word, kind, adds } of SUBSCRIBE_VERBS.values()) {
      const [name] = this.#byKind[kind].keys();
      if (adds && name !== undefined) return [word, Buffer.from(name, 'latin1')];
    }
    return [];
  }
}

/** Names by where they live. */
export function groupBySubscriber(
  names: Iterable<readonly [string, readonly Subscriber[]]>,
): Map<Subscriber, string[]> {
  const parts = new Map<Subscriber, string[]>();
  for (const [name, homes] of names) {
    for (const home of homes) {
      const part = parts.get(home);
      if (part === undefined) parts.set(home, [name]);
      else part.push(name);
    }
  }
  return parts;
}
