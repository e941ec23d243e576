import { LRUCache } from 'lru-cache';
import type { Publisher } from './message.ts';

const PUBLISHERS_MAX = 4096;

/** Which message each publisher sent last, as one subscription has heard them: pub/sub repeats nothing, so a number that is
 *  left out is a change that nobody here has heard of.
 *  Bounds: PUBLISHERS_MAX; those that were quiet for longest are forgotten, and then doubted when they speak again. */
export class Publishers {
  readonly #last = new LRUCache<string, { seq: number; scope: string }>({ max: PUBLISHERS_MAX });
  #hasForgotten = false;

  /** Note a message. Returns what one before it that never came may have named: all that begins so. Undefined = none is
   *  missing. The same number again is the same message again. */
  missedBefore({ id, seq, isReset, scope }: Publisher): string | undefined {
    const last = this.#last.get(id);
    if (last === undefined && this.#last.size === PUBLISHERS_MAX) this.#hasForgotten = true;
    this.#last.set(id, { seq, scope });
    if (isReset) return undefined;
    if (last === undefined) return this.#hasForgotten ? scope : undefined;
    if (last.scope !== scope) return '';
    return seq === last.seq || seq === last.seq + 1 ? undefined : scope;
  }
}
