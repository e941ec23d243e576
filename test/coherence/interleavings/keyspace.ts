/** What a Redis answers. Shape: a Line goes out as it is ("+OK", "-ERR …"). */
export type Reply = string | number | null | Line | readonly Reply[];

export class Line {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const OK: Line = new Line('+OK');

/** One key. Units: ms of the test's clock. */
export interface Item {
  readonly value: string;
  readonly expiresAt: number | undefined;
}

/** All keys of all databases at one moment. Shape: by `nameOf`. */
export type Data = ReadonlyMap<string, Item>;

export function nameOf(db: number, key: string): string {
  return `${db}:${key}`;
}

/** The keys that a read names; undefined when the command is no read of this file. */
export function keysRead(args: readonly string[]): readonly string[] | undefined {
  switch (args[0]?.toUpperCase()) {
    case 'GET':
    case 'STRLEN':
    case 'PTTL':
      return args.slice(1, 2);
    case 'MGET':
    case 'EXISTS':
    case 'LCS':
      return args.slice(1);
    default:
      return undefined;
  }
}

/** What Redis says to a read in this state. */
export function answerRead(args: readonly string[], db: number, data: Data, now: number): Reply {
  const item = (key: string): Item | undefined => data.get(nameOf(db, key));
  const first = item(args[1] as string);
  switch (args[0]?.toUpperCase()) {
    case 'GET':
      return first?.value ?? null;
    case 'STRLEN':
      return first?.value.length ?? 0;
    case 'PTTL':
      if (first === undefined) return -2;
      return first.expiresAt === undefined ? -1 : Math.max(0, Math.floor(first.expiresAt - now));
    case 'MGET':
      return args.slice(1).map((key) => item(key)?.value ?? null);
    case 'LCS':
      return longestCommon(first?.value ?? '', item(args[2] as string)?.value ?? '');
    case 'EXISTS':
      return args.slice(1).filter((key) => item(key) !== undefined).length;
    default:
      throw new Error(`not a read: ${args.join(' ')}`);
  }
}

/** The longest string that is left of both when characters are taken out. */
function longestCommon(one: string, other: string): string {
  if (one === '' || other === '') return '';
  const [rest, otherRest] = [one.slice(1), other.slice(1)];
  if (one[0] === other[0]) return (one[0] as string) + longestCommon(rest, otherRest);
  const [left, right] = [longestCommon(rest, other), longestCommon(one, otherRest)];
  return left.length >= right.length ? left : right;
}

/** What a write does: its reply, and the keys whose invalidation it causes ('all' = the null one). */
export interface Outcome {
  readonly reply: Reply;
  readonly touched: readonly string[] | 'all';
}

/** Runs a write on `data`; undefined when this file does not know the command. */
export function write(
  args: readonly string[],
  db: number,
  data: Map<string, Item>,
  now: number,
): Outcome | undefined {
  const [name, ...rest] = [args[0]?.toUpperCase(), ...args.slice(1)] as [string, ...string[]];
  const [key = '', value = ''] = rest;
  const set = (key: string, value: string, expiresAt?: number): void => {
    data.set(nameOf(db, key), { value, expiresAt });
  };
  switch (name) {
    case 'SET':
      set(key, value, rest[2]?.toUpperCase() === 'PX' ? now + Number(rest[3]) : undefined);
      return { reply: OK, touched: [key] };
    case 'MSET': {
      const pairs = rest.flatMap((name, i) => (i % 2 === 0 ? [[name, rest[i + 1] as string] as const] : []));
      for (const [key, value] of pairs) set(key, value);
      return { reply: OK, touched: pairs.map(([key]) => key) };
    }
    case 'INCR': {
      const before = data.get(nameOf(db, key));
      const count = Number(before?.value ?? 0) + 1;
      set(key, String(count), before?.expiresAt);
      return { reply: count, touched: [key] };
    }
    case 'DEL': {
      const gone = rest.filter((name) => data.delete(nameOf(db, name)));
      return { reply: gone.length, touched: gone };
    }
    // The test's one script: it increments a key that it does not declare.
    case 'EVAL':
      return write(['INCR', rest[2] as string], db, data, now);
    case 'FLUSHALL':
      data.clear();
      return { reply: OK, touched: 'all' };
    case 'SWAPDB':
      swap(data, key, value);
      // Redis says nothing of it to those who track.
      return { reply: OK, touched: [] };
    default:
      return undefined;
  }
}

function swap(data: Map<string, Item>, one: string, other: string): void {
  const before = [...data];
  data.clear();
  for (const [name, item] of before) {
    const [db = '', key = ''] = name.split(':');
    const target = db === one ? other : db === other ? one : db;
    data.set(`${target}:${key}`, item);
  }
}
