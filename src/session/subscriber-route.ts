import type { SubscriptionKind } from '../shard/pubsub-frame.ts';
import type { Subscriber } from '../shard/subscriber.ts';
import type { Session } from './session.ts';

/** At whose subscribers of this session's user a channel or pattern lives. A ring hashes a channel like a key, and a message is
 *  published at one shard, so patterns are everywhere and nothing comes twice. A Cluster carries messages to every node by itself,
 *  but those of sharded channels. */
export function subscribersOf(session: Session, kind: SubscriptionKind, name: string): readonly Subscriber[] {
  const { upstream } = session.context;
  const { user } = session;
  const atHome = [user.at(upstream.home).subscriber];
  if (upstream.isSingle || (upstream.kind === 'cluster' && kind !== 'shard')) return atHome;
  if (kind === 'pattern') return upstream.shards.map((shard) => user.at(shard).subscriber);
  const bytes = Buffer.from(name, 'latin1');
  const shard = upstream.shardAt(upstream.placeOfChannel(bytes, 0, bytes.length));
  return shard === undefined ? atHome : [user.at(shard).subscriber];
}
