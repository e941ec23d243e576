import type { EntryId } from './store.ts';

/** A copy that owns its bytes. Cost: one allocation of the size of key and arguments, and the object. */
export function ownId(id: EntryId): EntryId {
  const keyBytes = id.keyEnd - id.keyStart;
  const bytes = Buffer.allocUnsafe(keyBytes + id.argsEnd - id.argsStart);
  id.bytes.copy(bytes, 0, id.keyStart, id.keyEnd);
  if (id.argsEnd > id.argsStart) id.bytes.copy(bytes, keyBytes, id.argsStart, id.argsEnd);
  const { commandId, db, fence } = id;
  return {
    bytes,
    keyStart: 0,
    keyEnd: keyBytes,
    argsStart: keyBytes,
    argsEnd: bytes.length,
    commandId,
    db,
    fence,
  };
}

/** Do both ask the same thing? */
export function sameId(a: EntryId, b: EntryId): boolean {
  return (
    a.commandId === b.commandId &&
    a.db === b.db &&
    a.fence === b.fence &&
    a.bytes.compare(b.bytes, b.keyStart, b.keyEnd, a.keyStart, a.keyEnd) === 0 &&
    a.bytes.compare(b.bytes, b.argsStart, b.argsEnd, a.argsStart, a.argsEnd) === 0
  );
}
