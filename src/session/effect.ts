import { ELSEWHERE, type NearCache } from '../cache/near-cache.ts';
import type { CommandSpec } from '../command/spec.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { MINUS } from '../protocol/bytes.ts';
import { OwnCall } from '../shard/call.ts';
import type { Identity } from '../shard/identity.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import type { Slot } from './slot.ts';

/** A reply, or its beginning: chunk[start, end), of first byte `type`; whole when `last`. One object is reused. */
export interface ReplyPiece {
  chunk: Buffer;
  start: number;
  end: number;
  last: boolean;
  type: number;
}

/** What a command's reply does to the near-cache, before the reply is released to the app. */
export interface ReplyEffect {
  /** Wait for the whole frame before `replied`; else it is called with the first bytes. */
  readonly needsWhole: boolean;
  /** The command has run. */
  replied(piece: ReplyPiece, slot: Slot): void;
  /** It did not run, and goes to another link now. */
  redirected?(): void;
  /** It was broken off before Redis had all of it: it did not run, and never will. */
  brokenOff?(): void;
  /** No reply will come, and it is not known whether the command ran. */
  failed(): void;
}

/** An effect that only wants to know whether the command was refused. */
export function whenReplied(run: (isError: boolean) => void): ReplyEffect {
  return {
    needsWhole: false,
    replied: (piece) => run(piece.type === MINUS),
    failed: () => undefined,
  };
}

/** A write to known keys: closed from dispatch to reply (R5). `fence`: the shared link it goes on, or ELSEWHERE. */
export class WriteEffect implements ReplyEffect {
  readonly needsWhole = false;
  #cache: NearCache;
  #keys: readonly string[];
  #fence: number;
  /** The read to be sent behind it; undefined = none. */
  readonly reread: CommandSpec | undefined;

  constructor(cache: NearCache, keys: readonly string[], fence: number = ELSEWHERE, reread?: CommandSpec) {
    this.reread = reread;
    this.#cache = cache;
    this.#keys = keys;
    this.#fence = fence;
    for (const key of keys) cache.close(key, fence);
  }

  replied(): void {
    for (const key of this.#keys) this.#cache.open(key, this.#fence);
  }

  /** Reads behind it on the first link do not run behind it any more. */
  redirected(): void {
    for (const key of this.#keys) {
      this.#cache.close(key);
      this.#cache.open(key, this.#fence);
    }
    this.#fence = ELSEWHERE;
  }

  failed(): void {
    for (const key of this.#keys) this.#cache.open(key);
  }
}

/** A command on a pinned connection that may have seen or changed keys, without holding them closed while it blocks:
 *  they are revoked at its reply, so that the near-cache does not answer something older next (R14, spec §6.3). */
export class RevokeEffect implements ReplyEffect {
  readonly needsWhole = false;
  #cache: NearCache;
  #keys: readonly string[];

  constructor(cache: NearCache, keys: readonly string[]) {
    this.#cache = cache;
    this.#keys = keys;
  }

  replied(): void {
    for (const key of this.#keys) this.#cache.revoke(key);
  }

  failed(): void {
    this.replied();
  }
}

/** A command after which nothing remembered may be trusted (FLUSHALL, SWAPDB …): no hits and no fills while it runs. */
export class FlushEffect implements ReplyEffect {
  readonly needsWhole = false;
  #cache: NearCache;

  constructor(cache: NearCache) {
    this.#cache = cache;
    cache.closeAll();
  }

  replied(): void {
    this.#cache.openAll();
  }

  failed(): void {
    this.#cache.openAll();
  }
}

const PING = encodeRequest(['PING']);
/** For users of their own, who may be refused a PING: HELLO is permitted to all, and any answer proves the same. */
const HELLO = encodeRequest(['HELLO']);

/** A command that may change keys it does not name (R6): its reply is held until a PING on the shared connection is
 *  answered, since by then every invalidation that it caused has been processed (DESIGN §2). */
export class BarrierEffect implements ReplyEffect {
  readonly needsWhole = true;
  #cache: NearCache;
  #identity: Identity;
  #keys: readonly string[];
  #done: () => void;
  #isOver = false;
  #isSent = false;
  #waiting: Slot | undefined;
  #isPassed = false;
  /** It runs on another link than the one that is asked: what that says proves nothing. */
  #isElsewhere = false;

  /** `done` runs once, when later reads of the session may hit again. */
  constructor(cache: NearCache, identity: Identity, keys: readonly string[], done: () => void) {
    this.#cache = cache;
    this.#identity = identity;
    this.#keys = keys;
    this.#done = done;
    for (const key of keys) cache.close(key);
  }

  /** For a command on the shared connection: the PING leaves together with it. Call right after the command was sent. */
  pingBehind(now: number): void {
    if (this.#identity.shard.identities.hasSeveralSources) return;
    this.#isSent = true;
    this.#ping(now);
  }

  replied(_piece: ReplyPiece, slot: Slot): void {
    const { isPassing, shared, shard } = this.#identity;
    if (this.#isElsewhere) {
      this.#cache.flush();
      return this.#finish();
    }
    if (this.#isPassed || shard.identities.hasSeveralSources || isPassing || !shared.generation.isAlive) {
      // Several links feed the cache, or none, or another than this one: no PING on it speaks for them.
      if (!this.#isPassed) this.#cache.flush();
      this.#finish();
      return;
    }
    slot.isHeld = true;
    this.#waiting = slot;
    if (!this.#isSent) this.#ping(slot.sentAt);
  }

  redirected(): void {
    this.#isElsewhere = true;
  }

  brokenOff(): void {
    this.#finish();
  }

  failed(): void {
    this.#cache.flush();
    this.#finish();
  }

  #ping(now: number): void {
    const call = new OwnCall((reply) => {
      // Whatever Redis says, it said it after the invalidations.
      if (reply === undefined) this.#cache.flush();
      this.#isPassed = true;
      if (this.#waiting === undefined) return;
      this.#finish();
      this.#waiting.release();
    });
    call.sentAt = now;
    const bytes = this.#identity === this.#identity.shard.own ? PING : HELLO;
    this.#identity.shared.submit(call, bytes, 0, bytes.length, ANY_DB);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const key of this.#keys) this.#cache.open(key);
    this.#done();
  }
}
