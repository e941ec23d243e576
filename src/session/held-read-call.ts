import type { NearCache } from '../cache/near-cache.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import { askedBy, insteadOfAsked } from './asked.ts';
import { FanOutCall } from './fan-out-call.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';
import { send, sharedSlot, timeoutOf } from './shared-slot.ts';

/** A read that fills nothing, and is answered like any other when its link does not come or its reply does not. */
class HeldReadCall extends FanOutCall {
  readonly #instead: () => Buffer | undefined;

  constructor(instead: () => Buffer | undefined) {
    super();
    this.#instead = instead;
  }

  override insteadOf(): Buffer | undefined {
    return this.#instead();
  }
}

/** Send a cacheable read as it is; while there is no link, so that it can be answered without. */
export function sendAsItIs(session: Session, cache: NearCache, request: Request, spec: CommandSpec): void {
  const slot = sharedSlot(session, request, spec);
  if (session.identity.shared.isReady) return send(session, slot, request, session.db);
  sendForSlot(session, cache, slot, { request: request.copy(), spec, db: session.db });
}

/** Send a cacheable read for a slot that is there, so that it can be answered without a reply. `read.request` is a copy. */
export function sendForSlot(
  session: Session,
  cache: NearCache,
  slot: Slot,
  { request, spec, db }: { request: Request; spec: CommandSpec; db: number },
): void {
  const { clock } = session.context;
  const asked = askedBy(session, request, spec);
  const call = new HeldReadCall(() => insteadOfAsked(cache, asked, clock.now()));
  call.waiters.push(slot);
  call.sentAt = clock.now();
  call.timeoutMs = timeoutOf(session, spec);
  send(session, call, request, db);
}
