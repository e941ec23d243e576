import { copyOf } from '../base/copy-of.ts';
import { errorLine } from '../base/errors.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { parseRedirect, type Redirect } from '../route/redirect.ts';
import type { Redirects } from '../route/upstream.ts';
import { OwnCall } from '../shard/call.ts';
import type { Identity } from '../shard/identity.ts';
import type { Shard } from '../shard/shard.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { runOnLoan } from './pinned-loan.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

const ASKING = encodeRequest(['ASKING']);
/** Some keys of a slot that moves have arrived and some have not: this is the time for one to follow. Units: ms. */
const TRY_AGAIN_MS = 10;
const NEWLINE = 0x0a;

/** On which kind of link a redirected command goes on; none = it belongs to a transaction that is queued on a pinned connection,
 *  which cannot move. */
export type DetourWay = 'shared' | 'pinned' | 'none';

/** Make the slot follow redirects, if there can be any. */
export function mayDetour(session: Session, slot: Slot, request: Request, way: DetourWay): void {
  const { redirects } = session.context.upstream;
  if (redirects !== undefined) slot.detour = new Detour(session, redirects, request, way);
}

/** As whom a slot's command is sent again at a shard. Undefined = its session has closed, and is nobody any more. */
export function identityAgain(session: Session, { identity }: Slot, shard: Shard): Identity | undefined {
  if (!session.isClosed) return session.user.at(shard);
  return identity === identity?.shard.own ? shard.own : undefined;
}

/** How a command of a Cluster is sent again when the node that was asked does not have its slot. A node answers a redirect
 *  instead of running the command, so nothing runs twice; and it answers in order, so commands of one key stay in order too.
 *  Bounds: `redirectsMax` times; the command's own time-out goes on. */
export class Detour {
  readonly #session: Session;
  readonly #redirects: Redirects;
  readonly #bytes: Buffer;
  readonly #way: DetourWay;
  /** The beginning of an error line that is cut between two reads. */
  #parts: Buffer[] = [];
  /** The slot of the command's keys; a script may answer what looks like a redirect. */
  readonly #place: number;
  #left: number;

  constructor(session: Session, redirects: Redirects, request: Request, way: DetourWay) {
    this.#session = session;
    this.#redirects = redirects;
    this.#bytes = copyOf(request.buffer, request.start, request.end);
    this.#way = way;
    this.#place = session.place;
    this.#left = session.context.options.redirectsMax;
  }

  /** An error reply, or a part of one, to `slot`. True = it was a redirect, or that is not known yet, and the slot has no reply. */
  takes(slot: Slot, chunk: Buffer, start: number, end: number): boolean {
    const isFirst = this.#parts.length === 0;
    let line = chunk.subarray(start, end);
    if (!isFirst || line[line.length - 1] !== NEWLINE) {
      this.#parts.push(Buffer.from(line));
      if (line[line.length - 1] !== NEWLINE) return true;
      line = Buffer.concat(this.#parts);
      this.#parts = [];
    }
    if (slot.hasTimedOut || this.#left === 0 || !this.#follow(slot, line)) {
      slot.detour = undefined;
      if (isFirst) return false;
      slot.reply(line, 0, line.length, true, { type: line[0] as number, hasResp3: false });
    }
    return true;
  }

  /** False when the line is the answer. */
  #follow(slot: Slot, line: Buffer): boolean {
    const redirect = parseRedirect(line, 0, line.length);
    const { identity } = slot;
    if (redirect === undefined || redirect === 'clusterdown' || identity === undefined) return false;
    if (redirect !== 'tryagain' && redirect.slot !== this.#place) return false;
    this.#left--;
    if (redirect === 'tryagain') return this.#tryAgain(slot, identity);
    if (this.#way !== 'none') slot.effect?.redirected?.();
    const { slot: at, host, port, kind } = redirect;
    const shard =
      kind === 'ask'
        ? this.#redirects.asked(at, host, port, identity.shard)
        : this.#redirects.moved(at, host, port, identity.shard);
    if (this.#way === 'none') {
      this.#refuse(slot, at);
      return true;
    }
    const again = identityAgain(this.#session, slot, shard);
    if (again === undefined) slot.fail({ kind: 'lost', reason: 'its session closed' });
    else this.#send(slot, again, redirect);
    return true;
  }

  /** Nothing of a transaction has run when one of its commands is redirected. */
  #refuse(slot: Slot, at: number): void {
    const line = errorLine('SLOT_MOVED', { slot: at });
    slot.detour = undefined;
    slot.reply(line, 0, line.length, true, { type: line[0] as number, hasResp3: false });
  }

  /** What this session has sent behind it may have run by now: then it may not run later. */
  #tryAgain(slot: Slot, identity: Identity): boolean {
    if (this.#way !== 'shared' || !slot.owner.isNewest(slot)) return false;
    this.#session.detours++;
    this.#session.context.clock.after(TRY_AGAIN_MS, () => {
      this.#session.detours--;
      this.#send(slot, identity, undefined);
      this.#session.wake();
    });
    return true;
  }

  #send(slot: Slot, identity: Identity, redirect: Redirect | undefined): void {
    slot.identity = identity;
    const isAsking = redirect?.kind === 'ask';
    if (this.#way === 'pinned') {
      const ahead = isAsking ? ASKING : undefined;
      const { proto } = this.#session;
      return runOnLoan(this.#session, identity, { slot, bytes: this.#bytes, proto, ahead, isClean: true });
    }
    const { shared } = identity;
    // No node has run it, so that it may hear at once that this one is away.
    if (shared.obstacle !== undefined) return slot.fail(shared.obstacle);
    const calls = isAsking ? [new OwnCall(() => undefined), slot] : [slot];
    const bytes = isAsking ? Buffer.concat([ASKING, this.#bytes]) : this.#bytes;
    if (shared.isReady) shared.submitBlock(calls, bytes, 0, bytes.length, ANY_DB);
    // A node that was not known before is being connected to: the command waits for that, but ASKING would be lost.
    else if (isAsking)
      slot.fail({ kind: 'unsent', reason: 'the slot is moving to a node without a connection yet' });
    else shared.submit(slot, bytes, 0, bytes.length, ANY_DB);
    this.#session.lastPosition = shared.position;
  }
}
