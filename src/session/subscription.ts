import { Fifo } from '../base/fifo.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import type { Call, CallFailure } from '../shard/call.ts';
import {
  confirmation,
  SUBSCRIBE_VERBS,
  SUBSCRIPTION_KINDS,
  type SubscribeVerb,
} from '../shard/pubsub-frame.ts';
import type { Subscriber, SubscriberListener } from '../shard/subscriber.ts';
import { HeldSubscriptions } from './held-subscriptions.ts';
import { answerLocally } from './local-commands.ts';
import { OwnSubscription } from './own-subscription.ts';
import { type Part, partsOf, pendingOf, type PendingSubscribe } from './pending-subscribe.ts';
import { PongCall } from './pong-call.ts';
import type { Session } from './session.ts';
import { failureLine, type Slot } from './slot.ts';
import type { SubscriberRoute } from './subscriber-route.ts';

/** A session's subscriptions. They live at the subscribers, which all sessions of its user share; here is what this session
 *  has of them, and its confirmations with its own counts. In RESP2 a session may do little else while subscribed.
 *
 *  Commands that add may follow each other, and so may those that remove; in between, the session waits, so that what it
 *  has is known. Confirmations leave in the order of the commands, whichever shard answers first.
 *  Bounds: names are kept as long as they are subscribed to. */
export class Subscription implements SubscriberListener {
  readonly #session: Session;
  readonly #route: SubscriberRoute;
  readonly #own: OwnSubscription;
  readonly #held = new HeldSubscriptions();
  #pending = new Fifo<PendingSubscribe>();

  constructor(session: Session, route: SubscriberRoute) {
    this.#session = session;
    this.#route = route;
    this.#own = new OwnSubscription(session);
  }

  get proto(): 2 | 3 {
    return this.#session.proto;
  }

  /** Subscriptions of all kinds. */
  get count(): number {
    return this.#held.size;
  }

  /** Memory that they take. Units: bytes. */
  get heldBytes(): number {
    return this.#held.bytes;
  }

  get channels(): number {
    return this.#held.of('channel').size;
  }

  get patterns(): number {
    return this.#held.of('pattern').size;
  }

  get shardChannels(): number {
    return this.#held.of('shard').size;
  }

  /** A subscribed RESP2 session: Redis refuses nearly everything else, in its own words. */
  get isExclusive(): boolean {
    return this.#session.proto === 2 && this.count > 0;
  }

  /** Do messages come to this session? */
  get isActive(): boolean {
    return this.count > 0;
  }

  /** Does it hold a connection of its own, in some protocol version, which HELLO cannot change any more? */
  get holdsConnection(): boolean {
    return this.#own.isOpen;
  }

  /** Has something that it hears, or may be about to hear, another shard than when it subscribed? */
  get isMisplaced(): boolean {
    return this.#pending.length > 0 || !this.#held.isAt((kind, name) => this.#route.homes(kind, name));
  }

  /** Run a command of the subscribe family. False when it has to wait. */
  run(request: Request, spec: CommandSpec): boolean {
    const session = this.#session;
    if (!session.mayUse('subscription')) return false;
    // Its confirmations are not held back by what other commands still owe: those must have answered.
    if (session.queue.length > this.#pending.length) return false;
    const verb = SUBSCRIBE_VERBS.get(spec.name) as SubscribeVerb;
    const before = this.#pending.peek();
    if (before !== undefined && before.verb.adds !== verb.adds) return false;
    const named: string[] = [];
    for (let i = 1; i < request.argc; i++) named.push(request.argLatin1(i));
    const names = verb.adds || named.length > 0 ? named : undefined;
    if (this.#route.isApart(verb.kind, named)) {
      session.answerError('CROSSSLOT', { command: verb.word });
      return true;
    }
    let parts = partsOf(verb, names, this.#held, this.#route);
    // A mistake that Redis is to name, or nothing that it is to confirm.
    if (parts.length === 0) parts = [{ home: this.#anySubscriber(), names: [] }];
    for (const { home } of parts) if (!home.hasRoomFor(session)) return false;
    const word = Buffer.from(request.buffer.subarray(request.argStart(0), request.argEnd(0)));
    this.#send(word, { verb, names, parts });
    return true;
  }

  /** Run any command of a subscribed RESP2 session. False when it has to wait. */
  runSubscribed(request: Request, spec: CommandSpec | undefined): boolean {
    if (spec?.place === 'subscribe') return this.run(request, spec);
    // What it is told depends on whether it is still subscribed when its turn comes.
    if (this.#pending.length > 0) return false;
    if (spec?.name === 'quit' || spec?.name === 'reset') {
      return answerLocally(this.#session, request, spec);
    }
    if (!this.#session.mayUse('subscription')) return false;
    if (spec?.name === 'ping') {
      return this.#submit(this.#anySubscriber(), request, (slot) => new PongCall(slot));
    }
    return this.#own.refuse(request, spec, () => this.#held.asCommand);
  }

  /** Run PUBLISH or SPUBLISH where its message comes from: the message precedes the reply, as on one connection. False when it
   *  has to wait. */
  runBeside(request: Request, spec: CommandSpec): boolean {
    if (this.#pending.length > 0 || !this.#session.mayUse('subscription')) return false;
    const kind = spec.name === 'spublish' ? 'shard' : 'channel';
    const channel = request.argc > 1 ? request.argLatin1(1) : '';
    return this.#submit(this.#route.homes(kind, channel)[0] as Subscriber, request, (slot) => slot);
  }

  /** The client id of a connection of its own at Redis, opened if need be, so that invalidations can be redirected to it;
   *  undefined while it opens, then `whenOpen` is called. */
  reserve(whenOpen: () => void): number | undefined {
    return this.#own.reserve(whenOpen);
  }

  /** Forget everything, whatever is on its way. */
  release(): void {
    for (const kind of SUBSCRIPTION_KINDS) {
      for (const [subscriber, names] of this.#held.bySubscriber(kind)) {
        subscriber.leave(this, kind, names, true);
      }
    }
    this.#held.clear();
    for (let each = this.#pending.shift(); each !== undefined; each = this.#pending.shift()) {
      each.isOver = true;
      for (const { home, names } of each.parts) home.leave(this, each.verb.kind, names, true);
    }
    this.#own.release();
  }

  // --- SubscriberListener --------------------------------------------------------------------------------------

  message(frame: Buffer, start: number, end: number): void {
    this.#session.push(frame, start, end, true);
  }

  ended(name: string): void {
    this.#held.delete('shard', name);
    const frame = Buffer.from(this.#confirm(SUNSUBSCRIBE, name), 'latin1');
    this.#session.push(frame, 0, frame.length, true);
    this.#session.wake();
  }

  subscriberLost(reason: string): void {
    this.#session.close('upstream', `its subscription connection was lost: ${reason}`);
  }

  // --- on the way ----------------------------------------------------------------------------------------------

  #send(word: Buffer, asked: Pick<PendingSubscribe, 'verb' | 'names' | 'parts'>): void {
    const { redirectsMax } = this.#session.context.options;
    const pending = pendingOf(this.#session.slot(), asked, redirectsMax);
    this.#session.outstanding++;
    this.#pending.push(pending);
    for (const part of pending.parts) this.#ask(pending, word, part);
  }

  #ask(pending: PendingSubscribe, word: Buffer, part: Part): void {
    const { home, names } = part;
    const request = { word, verb: pending.verb, names };
    const done = (refusal: Buffer | undefined, failure: CallFailure | undefined): void => {
      if (pending.isOver) return;
      const next = refusal === undefined ? undefined : this.#route.instead(home, refusal);
      if (next === undefined || pending.redirectsLeft-- === 0) {
        return this.#partDone(pending, home, refusal, failure);
      }
      if (pending.verb.adds) home.giveUp(this, pending.verb.kind, names);
      part.home = next;
      this.#ask(pending, word, part);
    };
    if (pending.verb.adds) home.add(this, request, done);
    else home.remove(this, request, done);
  }

  #submit(subscriber: Subscriber, request: Request, callOf: (slot: Slot) => Call): boolean {
    const session = this.#session;
    if (!subscriber.hasRoomFor(session)) return false;
    const slot = session.slot();
    slot.timeoutMs = session.context.options.commandTimeoutMs;
    session.outstanding++;
    subscriber.submit(callOf(slot), request.buffer, request.start, request.end);
    return true;
  }

  #partDone(
    pending: PendingSubscribe,
    subscriber: Subscriber,
    refusal: Buffer | undefined,
    failure: CallFailure | undefined,
  ): void {
    if (failure?.kind === 'lost' || failure?.kind === 'timeout') {
      // Nobody knows what Redis still sends.
      this.#session.close('upstream', `no answer to ${pending.verb.word}: ${failure.reason}`);
      return;
    }
    pending.open--;
    if (failure !== undefined) this.#session.countOwnError();
    const error = failure === undefined ? refusal : failureLine(failure, subscriber.shardName, 0);
    if (error !== undefined) {
      pending.refusal ??= error;
      pending.refusals++;
    }
    for (let head = this.#pending.peek(); head?.open === 0; head = this.#pending.peek()) {
      this.#pending.shift();
      this.#finish(head);
    }
  }

  #finish(pending: PendingSubscribe): void {
    pending.isOver = true;
    const { slot, verb, refusal } = pending;
    const session = this.#session;
    session.settled(slot);
    if (refusal !== undefined) {
      this.#refused(pending);
      return slot.answer(refusal);
    }
    // Confirmations come whatever CLIENT REPLY says, as messages do.
    const frames = verb.adds ? this.#added(pending) : this.#removed(pending);
    session.push(frames, 0, frames.length, true);
    slot.isDone = true;
    session.answered(slot);
  }

  #refused({ verb, parts, refusals }: PendingSubscribe): void {
    for (const { home, names } of parts) {
      if (verb.adds) home.giveUp(this, verb.kind, names);
      else home.keep(this, verb.kind, names);
    }
    // Adding is taken back; but what one shard has removed, another has not, would be neither on nor off.
    if (!verb.adds && refusals < parts.length) {
      this.#session.close('upstream', `only some shards have taken ${verb.word}`);
    }
  }

  #added({ verb, names, parts }: PendingSubscribe): Buffer {
    const homes = new Map<string, Subscriber[]>();
    for (const { home, names: part } of parts) {
      for (const name of part) {
        home.hear(this, verb.kind, name);
        homes.set(name, [...(homes.get(name) ?? []), home]);
      }
    }
    let frames = '';
    for (const name of names ?? []) {
      const now = homes.get(name) as Subscriber[];
      // As another user, or over another ring, it may have moved: no message comes twice.
      for (const old of this.#held.set(verb.kind, name, now)) {
        if (!now.includes(old)) old.leave(this, verb.kind, [name]);
      }
      frames += this.#confirm(verb, name);
    }
    return Buffer.from(frames, 'latin1');
  }

  #removed({ verb, names, parts }: PendingSubscribe): Buffer {
    const all = names ?? [...this.#held.of(verb.kind).keys()];
    for (const { home, names: part } of parts) home.leave(this, verb.kind, part);
    let frames = '';
    for (const name of all) {
      this.#held.delete(verb.kind, name);
      frames += this.#confirm(verb, name);
    }
    return Buffer.from(all.length === 0 ? this.#confirm(verb, undefined) : frames, 'latin1');
  }

  /** Shape: latin1. */
  #confirm(verb: SubscribeVerb, name: string | undefined): string {
    return confirmation(this.proto, verb, name, this.#held.countBeside(verb.kind));
  }

  /** One that it hears from, or would. */
  #anySubscriber(): Subscriber {
    return this.#held.someone ?? (this.#route.homes('channel', '')[0] as Subscriber);
  }
}

const SUNSUBSCRIBE = SUBSCRIBE_VERBS.get('sunsubscribe') as SubscribeVerb;
