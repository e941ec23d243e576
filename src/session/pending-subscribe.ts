import type { SubscribeVerb } from '../shard/pubsub-frame.ts';
import type { Subscriber } from '../shard/subscriber.ts';
import { groupBySubscriber, type HeldSubscriptions } from './held-subscriptions.ts';
import type { Slot } from './slot.ts';
import type { SubscriberRoute } from './subscriber-route.ts';

/** What one subscriber is asked for with one command. */
export interface Part {
  /** Another one, once a Cluster has said so. */
  home: Subscriber;
  readonly names: readonly string[];
}

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
  /** How often parts of it may still be sent to another node of a Cluster. */
  redirectsLeft: number;
  /** It was answered or given up. */
  isOver: boolean;
}

/** Nothing of it is answered. */
export function pendingOf(
  slot: Slot,
  { verb, names, parts }: Pick<PendingSubscribe, 'verb' | 'names' | 'parts'>,
  redirectsLeft: number,
): PendingSubscribe {
  const open = parts.length;
  return { slot, verb, names, parts, open, refusal: undefined, refusals: 0, redirectsLeft, isOver: false };
}

/** Who is asked for which names. Empty when the command names nothing, and there is nothing of its kind to end. */
export function partsOf(
  { kind, adds }: SubscribeVerb,
  names: readonly string[] | undefined,
  held: HeldSubscriptions,
  route: SubscriberRoute,
): readonly Part[] {
  const homesOf = (name: string): readonly Subscriber[] =>
    (adds ? undefined : held.of(kind).get(name)) ?? route.homes(kind, name);
  const unique = new Set(names ?? held.of(kind).keys());
  const parts = groupBySubscriber([...unique].map((name) => [name, homesOf(name)]));
  // In a Cluster the channels of one SUNSUBSCRIBE must share a slot, but not those of one that names none.
  const isMixed = kind === 'shard' && names === undefined;
  return [...parts].flatMap(([home, part]) =>
    isMixed ? part.map((name) => ({ home, names: [name] })) : [{ home, names: part }],
  );
}
