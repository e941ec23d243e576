import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { ASTERISK } from '../protocol/bytes.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Call, CallFailure } from './call.ts';
import { Interests } from './interests.ts';
import { OnDemandConnection, type OnDemandOptions } from './on-demand-connection.ts';
import {
  MESSAGE_KINDS,
  readPubSubFrame,
  SUBSCRIBE_VERBS,
  type SubscribeVerb,
  type SubscriptionKind,
} from './pubsub-frame.ts';
import type { ShardStats } from './shard-stats.ts';
import type { Waiter } from './shared-options.ts';
import { SubscribeCall, type SubscribeDone } from './subscribe-call.ts';

export interface SubscriberOptions extends OnDemandOptions {
  shardName: string;
  commandTimeoutMs: number;
}

/** A session, as the connection that it shares sees it. */
export interface SubscriberListener {
  readonly proto: 2 | 3;
  /** One whole frame, in the listener's protocol. The bytes are valid only during the call. */
  message(frame: Buffer, start: number, end: number): void;
  /** Redis has ended the subscription to a shard channel by itself: its slot has moved. */
  ended(name: string): void;
  /** Messages may have been missed. */
  subscriberLost(reason: string): void;
}

/** A command of the subscribe family. Shape: `word` is its name as the app wrote it; `names` are latin1. */
export interface SubscribeRequest {
  readonly word: Buffer;
  readonly verb: SubscribeVerb;
  readonly names: readonly string[];
}

/** The subscriptions of all sessions of one identity at one shard, over one connection in RESP3: Redis has one subscriber
 *  to a channel however many sessions hear it.
 *
 *  Every command of a session goes to Redis, also when another session has subscribed already: so permissions and errors
 *  are Redis's, and what the session hears begins and ends at its command's place in the one ordered stream. Only an
 *  UNSUBSCRIBE of what others still want names something else instead.
 *  Errors: a lost connection tells all who heard something; nothing is subscribed again by itself, since a gap must show. */
export class Subscriber {
  readonly shardName: string;
  readonly #commandTimeoutMs: number;
  readonly #stats: ShardStats;
  readonly #interests: Interests<SubscriberListener>;
  readonly #connection: OnDemandConnection;
  /** A name that nobody subscribes to, for an UNSUBSCRIBE that must change nothing but take its place in the stream. */
  readonly #nothing = `nearcache:${randomBytes(16).toString('hex')}`;

  constructor(
    options: SubscriberOptions,
    parts: { clock: Clock; stats: ShardStats; obstacle: () => CallFailure | undefined },
  ) {
    this.shardName = options.shardName;
    this.#commandTimeoutMs = options.commandTimeoutMs;
    this.#stats = parts.stats;
    this.#interests = new Interests(parts.stats);
    const isUsed = (): boolean => this.isUsed;
    this.#connection = new OnDemandConnection(options, {
      ...parts,
      owner: {
        get isUsed() {
          return isUsed();
        },
        ready: () => {
          parts.stats.subscriberConnections++;
        },
        pushed: (frame, start, end) => this.#pushed(frame, start, end),
        lost: (reason, wasReady) => this.#lost(reason, wasReady),
      },
    });
  }

  /** Does anyone want anything here? */
  get isUsed(): boolean {
    return this.#interests.wanted > 0;
  }

  /** Is there room for more requests? If not, `waiter` is woken once there may be. */
  hasRoomFor(waiter: Waiter): boolean {
    return this.#connection.hasRoomFor(waiter);
  }

  /** Ask Redis to subscribe. Once all is confirmed the listener says `hear` (or `giveUp`), since other shards may have
   *  a say, too. Without names Redis answers with its error. */
  add(listener: SubscriberListener, request: SubscribeRequest, done: SubscribeDone): void {
    for (const name of request.names) this.#interests.want(listener, request.verb.kind, name);
    this.#ask(request, this.#commandTimeoutMs, done);
  }

  /** Ask Redis to unsubscribe from what nobody else wants. Once that is confirmed the listener says `leave`, or `keep`. */
  remove(listener: SubscriberListener, request: SubscribeRequest, done: SubscribeDone): void {
    const { kind } = request.verb;
    for (const name of request.names) this.#interests.unwant(listener, kind, name, true);
    const names = request.names.filter((name) => !this.#interests.isWanted(kind, name));
    if (names.length > 0) return this.#ask({ ...request, names }, this.#commandTimeoutMs, done);
    // The name of a shard channel would have to be in a slot of this node; any command of the family keeps the place.
    const instead = kind === 'shard' ? OPPOSITES.channel : request;
    this.#ask({ ...instead, names: [this.#nothing] }, this.#commandTimeoutMs, done);
  }

  /** What `add` asked for is confirmed: deliver it from now on. */
  hear(listener: SubscriberListener, kind: SubscriptionKind, name: string): void {
    this.#interests.hear(listener, kind, name);
  }

  /** What `add` asked for was refused, here or elsewhere. */
  giveUp(listener: SubscriberListener, kind: SubscriptionKind, names: readonly string[]): void {
    for (const name of names) this.#interests.unwant(listener, kind, name);
    this.#unsubscribe(
      kind,
      names.filter((name) => this.#isNeedless(kind, name)),
    );
  }

  /** What `remove` asked for was refused. */
  keep(listener: SubscriberListener, kind: SubscriptionKind, names: readonly string[]): void {
    for (const name of names) {
      this.#interests.unwant(listener, kind, name, true);
      if (this.#interests.hearing(kind, name).has(listener)) this.#interests.want(listener, kind, name);
    }
  }

  /** The listener has unsubscribed, or is gone and does not care for what is still on its way. */
  leave(
    listener: SubscriberListener,
    kind: SubscriptionKind,
    names: readonly string[],
    isGone = false,
  ): void {
    const needless: string[] = [];
    for (const name of names) {
      const wasWanted = this.#interests.isWanted(kind, name);
      this.#interests.unwant(listener, kind, name, true);
      this.#interests.unhear(listener, kind, name);
      const isOver = isGone && wasWanted && !this.#interests.isWanted(kind, name);
      if (isOver || this.#isNeedless(kind, name)) needless.push(name);
    }
    this.#unsubscribe(kind, needless);
  }

  /** Send any other command whose reply is one frame: the reply comes behind the messages that Redis sent before. */
  submit(call: Call, buffer: Buffer, start: number, end: number): void {
    this.#connection.submit(call, buffer, start, end);
  }

  tick(now: number): void {
    this.#connection.tick(now);
  }

  close(reason = 'nearcache is stopping'): void {
    this.#connection.reset(reason);
  }

  #ask({ word, verb, names }: SubscribeRequest, timeoutMs: number, done: SubscribeDone): void {
    const bytes = encodeRequest([word, ...names.map((name) => Buffer.from(name, 'latin1'))]);
    this.#connection.submit(new SubscribeCall(verb, names, timeoutMs, done), bytes, 0, bytes.length);
  }

  /** Nobody wants it, yet Redis still sends it. */
  #isNeedless(kind: SubscriptionKind, name: string): boolean {
    return this.#interests.isOn(kind, name) && !this.#interests.isWanted(kind, name);
  }

  /** Unsubscribe on nobody's behalf. */
  #unsubscribe(kind: SubscriptionKind, names: readonly string[]): void {
    if (names.length === 0 || !this.#connection.isOpen) return;
    // In a Cluster the channels of one SUNSUBSCRIBE must share a slot.
    const commands = kind === 'shard' ? names.map((name) => [name]) : [names];
    for (const each of commands) this.#ask({ ...OPPOSITES[kind], names: each }, 0, () => undefined);
  }

  #lost(reason: string, wasReady: boolean): void {
    if (wasReady) this.#stats.subscriberConnections--;
    if (wasReady && this.isUsed) this.#stats.losses++;
    for (const listener of this.#interests.clear()) listener.subscriberLost(reason);
  }

  // --- what Redis says -----------------------------------------------------------------------------------------

  #pushed(frame: Buffer, start: number, end: number): void {
    const read = readPubSubFrame(frame, start, end);
    if (read === undefined) return;
    const kind = MESSAGE_KINDS.get(read.word);
    if (kind !== undefined) return this.#deliver(kind, read.name, frame, start, end);
    const verb = SUBSCRIBE_VERBS.get(read.word);
    if (verb !== undefined) this.#confirmed(verb, read.name);
  }

  #deliver(kind: SubscriptionKind, name: string, frame: Buffer, start: number, end: number): void {
    this.#stats.messagesIn++;
    let asArray: Buffer | undefined;
    for (const listener of this.#interests.hearing(kind, name)) {
      this.#stats.messagesOut++;
      if (listener.proto === 3) {
        listener.message(frame, start, end);
        continue;
      }
      asArray ??= inResp2(frame, start, end);
      listener.message(asArray, 0, asArray.length);
    }
  }

  #confirmed(verb: SubscribeVerb, name: string): void {
    this.#interests.confirmed(verb.kind, name, verb.adds);
    const call = this.#connection.calls?.peek();
    if (call instanceof SubscribeCall && call.expects(verb.word, name)) {
      call.left--;
      if (call.left > 0) return;
      this.#connection.calls?.shift();
      call.confirmed();
    } else if (verb.word === 'sunsubscribe') {
      this.#ended(name);
    } else {
      this.#connection.reset('a confirmation that nobody asked for');
    }
  }

  #ended(name: string): void {
    for (const listener of this.#interests.hearing('shard', name)) {
      this.#interests.unhear(listener, 'shard', name);
      this.#interests.unwant(listener, 'shard', name);
      listener.ended(name);
    }
  }
}

/** The first byte is all that differs. */
function inResp2(frame: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.from(frame.subarray(start, end));
  copy[0] = ASTERISK;
  return copy;
}

const OPPOSITES: Readonly<Record<SubscriptionKind, Omit<SubscribeRequest, 'names'>>> = {
  channel: opposite('unsubscribe'),
  pattern: opposite('punsubscribe'),
  shard: opposite('sunsubscribe'),
};

function opposite(word: string): Omit<SubscribeRequest, 'names'> {
  return { word: Buffer.from(word, 'latin1'), verb: SUBSCRIBE_VERBS.get(word) as SubscribeVerb };
}
