import { parseRedirect } from '../route/redirect.ts';
import type { Upstream } from '../route/upstream.ts';
import type { SubscriptionKind } from '../shard/pubsub-frame.ts';
import type { Shard } from '../shard/shard.ts';
import type { Subscriber } from '../shard/subscriber.ts';
import type { Session } from './session.ts';

/** How the channels of keyspace notifications begin, `__keyspace@` and `__keyevent@`, and patterns that are for them. */
const KEY_EVENTS = '__key';

/** At which subscribers a session's channels and patterns live, as its user is now. Shape: names are latin1. */
export class SubscriberRoute {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Over a ring a channel is on one shard, taken as a key, and a pattern on all. In a Cluster a sharded channel is where its
   *  slot is; everything else is carried to every node, so that one is enough. What a server tells of its own keys is heard
   *  at all of them. Shape: never empty. */
  homes(kind: SubscriptionKind, name: string): readonly Subscriber[] {
    const { upstream } = this.#session.context;
    if (upstream.isSingle) return [this.#at(upstream.home)];
    const isOfServer = kind !== 'shard' && name.startsWith(KEY_EVENTS);
    if (isOfServer || (kind === 'pattern' && upstream.kind === 'ring')) {
      return upstream.shards.map((shard) => this.#at(shard));
    }
    if (upstream.kind === 'cluster' && kind !== 'shard') return [this.#at(upstream.home)];
    return [this.#at(upstream.shardAt(placeOfName(upstream, name)) ?? upstream.home)];
  }

  /** May one command of this kind not name them together? */
  isApart(kind: SubscriptionKind, names: readonly string[]): boolean {
    const { upstream } = this.#session.context;
    if (kind !== 'shard' || upstream.kind !== 'cluster' || names.length < 2) return false;
    return new Set(names.map((name) => placeOfName(upstream, name))).size > 1;
  }

  /** Whom to ask instead of `home`, which has answered with this error; undefined = it is the answer. */
  instead(home: Subscriber, refusal: Buffer): Subscriber | undefined {
    const { redirects, shards } = this.#session.context.upstream;
    const redirect = redirects === undefined ? undefined : parseRedirect(refusal, 0, refusal.length);
    if (redirects === undefined || typeof redirect !== 'object' || redirect.kind !== 'moved')
      return undefined;
    const from = shards.find((shard) => this.#at(shard) === home);
    if (from === undefined) return undefined;
    return this.#at(redirects.moved(redirect.slot, redirect.host, redirect.port, from));
  }

  #at(shard: Shard): Subscriber {
    return this.#session.user.at(shard).subscriber;
  }
}

function placeOfName(upstream: Upstream, name: string): number {
  const bytes = Buffer.from(name, 'latin1');
  return upstream.placeOfChannel(bytes, 0, bytes.length);
}
