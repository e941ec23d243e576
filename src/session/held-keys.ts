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

/** What a session holds. */
export class HeldKeys {
  /** By key, how many reads hold it. */
  readonly reads: Map<string, number> = new Map<string, number>();
  /** So many of the reads are on their way already, and may have to be sent again. */
  onTheWay = 0;

  get isEmpty(): boolean {
    return this.reads.size === 0;
  }
}

/** Whatever names one of this read's keys waits, until `releaseKeys`: the read may yet be sent, and would be behind it. */
export function holdKeys({ held: { reads } }: Session, { request, spec }: HeldRead): void {
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    const key = request.argLatin1(keyList.indices[i] as number);
    reads.set(key, (reads.get(key) ?? 0) + 1);
  }
}

export function releaseKeys(session: Session, { request, spec }: HeldRead): void {
  const { reads } = session.held;
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    const key = request.argLatin1(keyList.indices[i] as number);
    const left = (reads.get(key) ?? 1) - 1;
    if (left === 0) reads.delete(key);
    else reads.set(key, left);
  }
  session.wake();
}

/** The read of this slot, which may be a part of a command over several shards, is on its way and may have to be sent again. */
export function holdSlot(session: Session, slot: Slot, read: HeldRead): void {
  holdKeys(session, read);
  keepHeld(session, slot, read);
}

/** The same of a read whose keys are held already. */
export function keepHeld(session: Session, slot: Slot, read: HeldRead): void {
  slot.held = read;
  session.held.onTheWay++;
}

/** The read of this slot will not be sent again. */
export function releaseHeld(session: Session, slot: Slot): void {
  if (slot.held === undefined) return;
  session.held.onTheWay--;
  releaseKeys(session, slot.held);
  slot.held = undefined;
}

/** Does this request name a key of which a read may yet be sent? The session would see that key go back. */
export function namesHeldKey({ held }: Session, request: Request, spec: CommandSpec): boolean {
  if (held.isEmpty) return false;
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    if (held.reads.has(request.argLatin1(keyList.indices[i] as number))) return true;
  }
  return false;
}
