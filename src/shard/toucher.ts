import type { HotKeys } from '../cache/hot-keys.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { OwnCall } from './call.ts';
import type { Identity } from './identity.ts';

const PERIOD_MS = 1000;

/** Tells Redis which keys are in use here (TOUCH), so that its LRU or LFU does not evict first what is hit most.
 *  Units: keys a second; ms of the monotonic clock. */
export class Toucher {
  readonly #hotKeys: HotKeys;
  readonly #rate: number;
  #nextAt = 0;

  constructor(hotKeys: HotKeys, rate: number) {
    this.#hotKeys = hotKeys;
    this.#rate = rate;
  }

  /** `own`: the sidecar's own identity. Returns how many keys were named. */
  tick(own: Identity, now: number): number {
    if (now < this.#nextAt) return 0;
    this.#nextAt = now + PERIOD_MS;
    let count = 0;
    const { shared } = own;
    const isCluster = shared.server?.isCluster === true;
    for (const [db, keys] of this.#hotKeys.take(this.#rate, shared.generation.fence)) {
      // Another user's database may be closed to this one; and a link that has trouble has other worries. A Cluster has one
      // database, and entries carry something else there.
      if (!(isCluster || own.databases.has(db)) || !shared.isReady || shared.isFull) continue;
      // A node of a Cluster takes several keys only when they share a slot.
      if (isCluster) for (const key of keys) touch(own, [key], 0, now);
      else touch(own, keys, db, now);
      count += keys.length;
    }
    return count;
  }
}

function touch({ shared }: Identity, keys: readonly Buffer[], db: number, now: number): void {
  const call = new OwnCall(() => undefined);
  call.sentAt = now;
  const bytes = encodeRequest(['TOUCH', ...keys]);
  shared.submit(call, bytes, 0, bytes.length, db);
}
