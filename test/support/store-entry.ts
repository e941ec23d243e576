import type { EntryFacts, EntryId, Store } from '../../src/cache/store.ts';

/** An id made of latin1 strings. */
export function idOf(key: string, more: Partial<Omit<EntryId, 'bytes'>> & { args?: string } = {}): EntryId {
  const { args = '', ...rest } = more;
  const bytes = Buffer.from(`??${key}--${args}??`, 'latin1');
  const keyEnd = 2 + key.length;
  return {
    bytes,
    keyStart: 2,
    keyEnd,
    argsStart: keyEnd + 2,
    argsEnd: keyEnd + 2 + args.length,
    commandId: 1,
    db: 0,
    fence: 1,
    ...rest,
  };
}

export function factsOf(more: Partial<EntryFacts> = {}): EntryFacts {
  return { form: 0, filledAt: 0, deadline: 1000, refreshAt: Infinity, loadMs: 0, policy: 0, ...more };
}

/** Insert a reply given as a latin1 string. */
export function put(store: Store, id: EntryId, reply: string, facts: Partial<EntryFacts> = {}): boolean {
  const source = Buffer.from(`<<${reply}>>`, 'latin1');
  return store.insert(id, source, 2, source.length - 2, factsOf(facts));
}

/** The reply that answers `id`, as a latin1 string, or undefined. */
export function get(store: Store, id: EntryId, now = 1, proto: 2 | 3 = 2): string | undefined {
  if (!store.find(id, proto, now)) return undefined;
  const { bytes, start, end } = store.found;
  return bytes.toString('latin1', start, end);
}

/** Drop every variant of a key given as a latin1 string. */
export function removeKey(store: Store, key: string): number {
  return store.remove(Buffer.from(`?${key}?`, 'latin1'), 1, 1 + key.length);
}

/** Read-through: get each key in turn, insert it when it is missing. Returns how many were hits. */
export function readThrough(store: Store, keys: Iterable<number>, replyBytes: number): number {
  const id = idOf('\0'.repeat(8));
  const reply = Buffer.alloc(replyBytes, 0x78);
  const facts = factsOf();
  let hits = 0;
  for (const key of keys) {
    id.bytes.writeUInt32LE(key, 2);
    if (store.find(id, 2, 1)) hits++;
    else store.insert(id, reply, 0, replyBytes, facts);
  }
  return hits;
}
