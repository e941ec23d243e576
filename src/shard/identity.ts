import type { Canary } from './canary.ts';
import type { Credentials } from './credentials.ts';
import type { PinnedPool } from './pinned-pool.ts';
import type { Shard } from './shard.ts';
import type { SharedConnection } from './shared-connection.ts';
import type { Subscriber } from './subscriber.ts';

/** An ACL user at one shard, with connections of its own. A value read as one user is never served to another, so the
 *  identity's number is part of every entry (DESIGN §2). */
export interface Identity {
  /** Part of every entry's identity; never reused. */
  readonly number: number;
  readonly shard: Shard;
  /** The ACL user, as latin1; 'default' when nothing was given. */
  readonly user: string;
  /** The newest credentials that Redis has accepted. */
  credentials: Credentials;
  readonly shared: SharedConnection;
  /** For what must not queue behind commands: SCRIPT KILL, CLIENT UNBLOCK, checks of connection commands. */
  readonly control: SharedConnection;
  readonly pinned: PinnedPool;
  /** What its sessions have subscribed to. */
  readonly subscriber: Subscriber;
  /** Undefined = there is no near-cache. */
  readonly canary: Canary | undefined;
  /** Databases that a SELECT of this identity has been allowed to enter. */
  readonly databases: Set<number>;
  /** One user too many: its sessions run on pinned connections only and are not cached. */
  readonly isPassing: boolean;
  /** Sessions that use it now. */
  sessions: number;
}
