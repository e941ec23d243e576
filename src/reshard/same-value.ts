import type { ShardClient } from './shard-client.ts';

/** Types whose serialised form depends on the order in which they were filled. */
const readerOf: Readonly<Record<string, string>> = { hash: 'HGETALL', set: 'SMEMBERS' };

/** Is the key's value the same on both shards? Its TTL does not count. Cost: reads it whole, twice. */
export async function isSameValue(a: ShardClient, b: ShardClient, db: number, key: Buffer): Promise<boolean> {
  const [one, other] = await askBoth(a, b, db, ['DUMP', key]);
  if (isEqual(one, other)) return true;
  const [type, otherType] = await askBoth(a, b, db, ['TYPE', key]);
  const reader = readerOf[String(type)];
  if (reader === undefined || !isEqual(type, otherType)) return false;
  const [items, otherItems] = await askBoth(a, b, db, [reader, key]);
  return sortedText(items, reader) === sortedText(otherItems, reader);
}

function askBoth(
  a: ShardClient,
  b: ShardClient,
  db: number,
  command: (string | Buffer)[],
): Promise<unknown[]> {
  return Promise.all([a.call(db, command), b.call(db, command)]);
}

function isEqual(one: unknown, other: unknown): boolean {
  return Buffer.isBuffer(one) && Buffer.isBuffer(other) && one.equals(other);
}

function sortedText(reply: unknown, reader: string): string {
  const items = (reply as Buffer[]).map((item) => item.toString('hex'));
  const pairs =
    reader === 'HGETALL'
      ? items.flatMap((field, index) => (index % 2 === 0 ? [`${field}=${items[index + 1]}`] : []))
      : items;
  return pairs.toSorted().join();
}
