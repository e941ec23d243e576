import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import type { Session } from './session.ts';
import type { Slot } from './slot.ts';

const keyList = new KeyList();

/** A read that may yet be sent, or sent again. `request` is a copy. */
export interface HeldRead {
  readonly request: Request;
  readonly spec: CommandSpec;
}

/** Whatever names one of this read's keys waits, until `releaseKeys`: the read may yet be sent, and would be behind it. */
export function holdKeys({ heldKeys }: Session, { request, spec }: HeldRead): void {
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    const key = request.argLatin1(keyList.indices[i] as number);
    heldKeys.set(key, (heldKeys.get(key) ?? 0) + 1);
  }
}

export function releaseKeys(session: Session, { request, spec }: HeldRead): void {
  const { heldKeys } = session;
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    const key = request.argLatin1(keyList.indices[i] as number);
    const left = (heldKeys.get(key) ?? 1) - 1;
    if (left === 0) heldKeys.delete(key);
    else heldKeys.set(key, left);
  }
  session.wake();
}

/** The command of this slot will not be sent again. */
export function releaseHeld(session: Session, slot: Slot): void {
  if (slot.held === undefined) return;
  releaseKeys(session, slot.held);
  slot.held = undefined;
}

/** Does this request name a key of which a read may yet be sent? The session would see that key go back. */
export function namesHeldKey({ heldKeys }: Session, request: Request, spec: CommandSpec): boolean {
  if (heldKeys.size === 0) return false;
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    if (heldKeys.has(request.argLatin1(keyList.indices[i] as number))) return true;
  }
  return false;
}
