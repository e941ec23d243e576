import type { SubscribeVerb, SubscriptionKind } from '../shard/pubsub-frame.ts';
import type { Subscriber } from '../shard/subscriber.ts';
import { groupBySubscriber, type HeldSubscriptions } from './held-subscriptions.ts';
import type { Slot } from './slot.ts';

/** At which subscribers a channel or pattern lives, for this session as it is now: a channel at one, a pattern at every
 *  shard of a ring. Shape: `name` is latin1; never empty, and the same for the same arguments within a call. */
export type SubscriberRoute = (kind: SubscriptionKind, name: string) => readonly Subscriber[];

/** What one subscriber is asked for with one command. */
export type Part = readonly [Subscriber, readonly string[]];

/** A subscribe command on its way. */
export interface PendingSubscribe {
  readonly slot: Slot;
  readonly verb: SubscribeVerb;
  /** As the app named them; undefined = whatever it has subscribed to. */
  readonly names: readonly string[] | undefined;
  readonly parts: readonly Part[];
  /** Parts that are not answered. */
  open: number;
  /** Of the first that refused: the reply. */
  refusal: Buffer | undefined;
  refusals: number;
  /** It was answered or given up. */
  isOver: boolean;
}

/** Who is asked for which names. Empty when the command names nothing, and there is nothing of its kind to end. */
export function partsOf(
  { kind, adds }: SubscribeVerb,
  names: readonly string[] | undefined,
  held: HeldSubscriptions,
  route: SubscriberRoute,
): readonly Part[] {
  const homesOf = (name: string): readonly Subscriber[] =>
    (adds ? undefined : held.of(kind).get(name)) ?? route(kind, name);
  const unique = new Set(names ?? held.of(kind).keys());
  const parts = [...groupBySubscriber([...unique].map((name) => [name, homesOf(name)]))];
  // In a Cluster the channels of one SUNSUBSCRIBE must share a slot, but not those of one that names none.
  const isMixed = kind === 'shard' && names === undefined;
  return isMixed ? parts.flatMap(([home, part]) => part.map((name) => [home, [name]] as const)) : parts;
}
