import { DOLLAR, LF } from '../protocol/bytes.ts';

/** What can be subscribed to. shard = a channel of SSUBSCRIBE, which belongs to a slot of a Cluster. */
export type SubscriptionKind = 'channel' | 'pattern' | 'shard';

export const SUBSCRIPTION_KINDS: readonly SubscriptionKind[] = ['channel', 'pattern', 'shard'];

/** A command of the subscribe family. */
export interface SubscribeVerb {
  /** The command's name, which is also the first word of its confirmations. */
  readonly word: string;
  readonly kind: SubscriptionKind;
  readonly adds: boolean;
}

/** By word. */
export const SUBSCRIBE_VERBS: ReadonlyMap<string, SubscribeVerb> = new Map(
  (
    [
      ['subscribe', 'channel', true],
      ['unsubscribe', 'channel', false],
      ['psubscribe', 'pattern', true],
      ['punsubscribe', 'pattern', false],
      ['ssubscribe', 'shard', true],
      ['sunsubscribe', 'shard', false],
    ] as const
  ).map(([word, kind, adds]) => [word, { word, kind, adds }]),
);

/** First word of a message → what its second element names. */
export const MESSAGE_KINDS: ReadonlyMap<string, SubscriptionKind> = new Map([
  ['message', 'channel'],
  ['pmessage', 'pattern'],
  ['smessage', 'shard'],
]);

/** The beginning of a frame of the subscribe family. Shape: `name` as latin1; `next` is where its third element begins. */
export interface PubSubFrame {
  readonly word: string;
  readonly name: string;
  readonly next: number;
}

/** Reads the first two elements of a push (RESP3) or array (RESP2); undefined when they are no bulks. Cost: O(name). */
export function readPubSubFrame(frame: Buffer, start: number, end: number): PubSubFrame | undefined {
  const word = bulkAt(frame, frame.indexOf(LF, start) + 1, end);
  if (word === undefined) return undefined;
  const name = bulkAt(frame, word.next, end);
  return name === undefined ? undefined : { word: word.text, name: name.text, next: name.next };
}

/** What Redis says to a session that has subscribed or unsubscribed. Shape: latin1; `name` undefined = there was nothing to
 *  unsubscribe from; `count` = what the session has now, channels of shards apart from the rest. */
export function confirmation(
  proto: 2 | 3,
  { word }: SubscribeVerb,
  name: string | undefined,
  count: number,
): string {
  const [sign, nil] = proto === 3 ? ['>', '_'] : ['*', '$-1'];
  const bulk = name === undefined ? nil : `$${name.length}\r\n${name}`;
  return `${sign}3\r\n$${word.length}\r\n${word}\r\n${bulk}\r\n:${count}\r\n`;
}

function bulkAt(frame: Buffer, at: number, end: number): { text: string; next: number } | undefined {
  if (at <= 0 || at >= end || frame[at] !== DOLLAR) return undefined;
  const from = frame.indexOf(LF, at) + 1;
  const length = Number(frame.latin1Slice(at + 1, from - 2));
  const to = from + length;
  return length >= 0 && to + 2 <= end ? { text: frame.latin1Slice(from, to), next: to + 2 } : undefined;
}
