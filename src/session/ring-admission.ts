import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import type { KeyAt } from '../route/key-mover.ts';
import type { Admission, RingGate } from '../route/ring-gate.ts';
import type { Session } from './session.ts';

const keyList = new KeyList();

/** The keys that a request names, in the database where it is to run. Shape: views on its bytes. */
export function keysAt(request: Request, spec: CommandSpec, db: number): KeyAt[] {
  extractKeys(spec, request, keyList);
  const keys: KeyAt[] = [];
  for (let i = 0; i < keyList.count; i++) {
    const index = keyList.indices[i] as number;
    keys.push({ key: request.buffer.subarray(request.argStart(index), request.argEnd(index)), db });
  }
  return keys;
}

/** May a command of this session on these keys go, while keys are on their way to other shards? */
export function admit(session: Session, gate: RingGate, keys: readonly KeyAt[]): Admission {
  const { gateWait } = session;
  return keys.length === 0 && gateWait.problem === undefined ? 'go' : gate.admit(keys, gateWait);
}
