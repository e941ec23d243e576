import type { Generation } from '../cache/generation.ts';
import type { NearCache } from '../cache/near-cache.ts';
import { absentReply } from '../command/absent-reply.ts';
import type { CommandSpec } from '../command/spec.ts';
import { commandById } from '../command/table.ts';
import { integerReply } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import type { CallFailure } from '../shard/call.ts';
import { aimAtKey, wanted } from './cached-answer.ts';
import { FanOutCall } from './fan-out-call.ts';
import { isStillGood } from './instead.ts';
import type { Session } from './session.ts';

/** MGET or EXISTS of keys of one shard, and the link that was to answer it. */
export interface ManyAsked {
  readonly request: Request;
  readonly spec: CommandSpec;
  readonly space: number;
  readonly generation: Generation;
  /** False = what was good before may be older than what the session itself has done since. */
  readonly mayBeStale: boolean;
}

/** What the session asks of the shard at which it is aimed. */
export function askedBy(session: Session, request: Request, spec: CommandSpec): ManyAsked {
  const { space, unknownOutstanding, identity } = session;
  const mayBeStale = unknownOutstanding === 0 && space >= 0;
  return { request, spec, space, generation: identity.shared.generation, mayBeStale };
}

/** The reply, in RESP3, while the shard is away: of each key what was good before, else by its policy that there is no such key;
 *  undefined = of one of them neither may be said. Units: monotonic ms. */
export function manyInstead(cache: NearCache, asked: ManyAsked, now: number): Buffer | undefined {
  const { request, spec, space, generation, mayBeStale } = asked;
  // Redis says what is wrong with it.
  if (request.argc < 2) return undefined;
  const parts: Buffer[] = [];
  let hasStale = false;
  let absentBy: number | undefined;
  for (let i = 1; i < request.argc; i++) {
    aimAtKey(request, i, spec, space, generation.fence);
    if (mayBeStale && isStillGood(cache, wanted, generation, now)) {
      const { bytes, start, end } = cache.store.found;
      parts.push(Buffer.from(bytes.subarray(start, end)));
      hasStale = true;
      continue;
    }
    const policy = cache.policies.of(wanted.bytes, wanted.keyStart, wanted.keyEnd);
    if (policy.whenAway === 'error') return undefined;
    absentBy ??= policy.number;
    parts.push(absentReply(commandById(wanted.commandId), 2) as Buffer);
  }
  if (hasStale) cache.noteStale(now - generation.freshAt);
  if (absentBy !== undefined) cache.stats.tallies(cache.stats.byPolicy, absentBy).absent++;
  if (spec.name === 'mget') return Buffer.concat([Buffer.from(`*${parts.length}\r\n`, 'latin1'), ...parts]);
  return integerReply(parts.filter((part) => part.equals(ONE)).length);
}

const ONE = Buffer.from(':1\r\n', 'latin1');

/** One that waits for its link as it is: not worth a look at what is missing, but perhaps nobody will be there to ask. */
export class HeldManyCall extends FanOutCall {
  readonly #cache: NearCache;
  readonly #asked: ManyAsked;
  readonly #now: () => number;

  /** The request of `asked` is a copy. */
  constructor(cache: NearCache, asked: ManyAsked, now: () => number) {
    super();
    this.#cache = cache;
    this.#asked = asked;
    this.#now = now;
  }

  override insteadOf({ kind }: CallFailure): Buffer | undefined {
    return kind === 'busy' || kind === 'refused'
      ? undefined
      : manyInstead(this.#cache, this.#asked, this.#now());
  }
}
