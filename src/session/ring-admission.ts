import { extractKeys, KeyList } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import type { KeyAt } from '../route/key-mover.ts';
import type { Admission, RingGate } from '../route/ring-gate.ts';
import { findForeignKeys } from './foreign-commands.ts';
import type { Session } from './session.ts';

const keyList = new KeyList();

/** The keys that a request names, in the database where it is to run. Shape: views on its bytes. */
export function keysAt(request: Request, spec: CommandSpec, db: number): KeyAt[] {
  extractKeys(spec, request, keyList);
  const keys = listed(request, db);
  const target = targetDb(request, spec);
  const last = keys.at(-1);
  if (target === undefined || last === undefined) return keys;
  // COPY names its target's database; MOVE has the same key in both.
  return spec.name === 'move'
    ? [...keys, { key: last.key, db: target }]
    : [...keys.slice(0, -1), { key: last.key, db: target }];
}

/** The same of a command that the table does not know. None when nothing tells which they are: then it runs nowhere. */
export function foreignKeysAt(session: Session, request: Request): KeyAt[] {
  return findForeignKeys(session, request, keyList) ? listed(request, session.db) : [];
}

function listed(request: Request, db: number): KeyAt[] {
  const keys: KeyAt[] = [];
  for (let i = 0; i < keyList.count; i++) {
    const index = keyList.indices[i] as number;
    keys.push({ key: request.buffer.subarray(request.argStart(index), request.argEnd(index)), db });
  }
  return keys;
}

/** The database of the key that COPY … DB n and MOVE write to. */
function targetDb(request: Request, { name }: CommandSpec): number | undefined {
  if (name === 'move' && request.argc === 3) return numberAt(request, 2);
  if (name !== 'copy') return undefined;
  for (let i = 3; i + 1 < request.argc; i++) {
    if (request.argLatin1(i).toLowerCase() === 'db') return numberAt(request, i + 1);
  }
  return undefined;
}

function numberAt(request: Request, index: number): number | undefined {
  const text = request.argLatin1(index);
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** May a command of this session on these keys go, while keys are on their way to other shards? */
export function admit(session: Session, gate: RingGate, keys: readonly KeyAt[]): Admission {
  const { gateWait, pin } = session;
  return keys.length === 0 && gateWait.problem === undefined
    ? 'go'
    : gate.admit(keys, gateWait, pin.sticky.isActive);
}
