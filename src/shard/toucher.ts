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
    for (const [db, keys] of this.#hotKeys.take(this.#rate)) {
      // Another user's database may be closed to this one; and a link that has trouble has other worries.
      if (!own.databases.has(db) || !own.shared.isReady || own.shared.isFull) continue;
      const call = new OwnCall(() => undefined);
      call.sentAt = now;
      const bytes = encodeRequest(['TOUCH', ...keys]);
      own.shared.submit(call, bytes, 0, bytes.length, db);
      count += keys.length;
    }
    return count;
  }
}
