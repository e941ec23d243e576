import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import type { Session } from './session.ts';

const keyList = new KeyList();

/** Reads of these keys may yet be sent: whatever names one of them waits. Balanced by `releaseKeys`. */
export function holdKeys({ heldKeys }: Session, request: Request, spec: CommandSpec): void {
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    const key = request.argLatin1(keyList.indices[i] as number);
    heldKeys.set(key, (heldKeys.get(key) ?? 0) + 1);
  }
}

export function releaseKeys({ heldKeys }: Session, request: Request, spec: CommandSpec): void {
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    const key = request.argLatin1(keyList.indices[i] as number);
    const left = (heldKeys.get(key) ?? 1) - 1;
    if (left === 0) heldKeys.delete(key);
    else heldKeys.set(key, left);
  }
}

/** Does this request name a key of which a read may yet be sent? That read would then be behind this request, and the
 *  session would see the key go back. */
export function namesHeldKey({ heldKeys }: Session, request: Request, spec: CommandSpec): boolean {
  if (heldKeys.size === 0) return false;
  extractKeys(spec, request, keyList);
  for (let i = 0; i < keyList.count; i++) {
    if (heldKeys.has(request.argLatin1(keyList.indices[i] as number))) return true;
  }
  return false;
}
