import * as fc from 'fast-check';
import type { Redis } from 'ioredis';

/** One argument of a command as COMMAND DOCS tells it. */
interface ArgumentDocs {
  readonly name: string;
  readonly type: string;
  readonly token?: string;
  readonly flags?: readonly string[];
  readonly arguments?: readonly ArgumentDocs[];
}

export interface CommandDocs {
  readonly arguments?: readonly ArgumentDocs[];
  readonly subcommands?: Readonly<Record<string, CommandDocs>>;
}

/** One generated argument, and whether the grammar calls it a key. */
export interface Word {
  readonly text: Buffer;
  readonly isKey: boolean;
}

/** The docs of all commands and subcommands, by full name. */
export async function commandDocs(redis: Redis): Promise<Map<string, CommandDocs>> {
  const top = toObject(await redis.call('COMMAND', 'DOCS')) as Record<string, CommandDocs>;
  const all = new Map<string, CommandDocs>();
  for (const [name, docs] of Object.entries(top)) {
    all.set(name, docs);
    for (const [child, childDocs] of Object.entries(docs.subcommands ?? {})) all.set(child, childDocs);
  }
  return all;
}

const mapFields: ReadonlySet<string> = new Set(['subcommands']);

/** RESP2 maps are flat arrays; in COMMAND DOCS each starts with a name, and `arguments` holds an array of maps. */
function toObject(flat: unknown): unknown {
  const list = flat as unknown[];
  const object: Record<string, unknown> = {};
  for (let i = 0; i + 1 < list.length; i += 2) {
    const field = String(list[i]);
    const value = list[i + 1];
    if (field === 'arguments') object[field] = (value as unknown[]).map(toObject);
    else if (mapFields.has(field) || isTopEntry(value)) object[field] = toObject(value);
    else object[field] = value;
  }
  return object;
}

/** A command's own entry: a map that starts with its summary. */
function isTopEntry(value: unknown): boolean {
  return Array.isArray(value) && value[0] === 'summary';
}

/** Texts that a careless parser takes for options, counts or the end of something. */
export const traps: readonly string[] = [
  ...'0 1 2 -1 * store STOREDIST streams BLOCK keys limit get by count group auth auth2 noack withscores'.split(
    ' ',
  ),
  '',
  'a\0b',
  '\xff\xfe',
  '\r\n',
];

/** Calls that follow the grammar of `docs`, without the command's own name; keys, values and names are drawn from
 *  `text`, one byte a char. */
export function callArbitrary(docs: CommandDocs, text: fc.Arbitrary<string>): fc.Arbitrary<Word[]> {
  return new Grammar(text).sequence(docs.arguments ?? []);
}

const nothing: fc.Arbitrary<Word[]> = fc.constant([]);

class Grammar {
  readonly #text: fc.Arbitrary<string>;

  constructor(text: fc.Arbitrary<string>) {
    this.#text = text;
  }

  sequence(list: readonly ArgumentDocs[]): fc.Arbitrary<Word[]> {
    const parts: fc.Arbitrary<Word[]>[] = [];
    for (let i = 0; i < list.length; i++) {
      const argument = list[i] as ArgumentDocs;
      const next = list[i + 1];
      if (argument.name === 'numkeys' && next?.type === 'key') {
        parts.push(this.#counted(next));
        i += 1;
      } else if (argument.type === 'key' && argument.flags?.includes('multiple') && next?.name === 'id') {
        parts.push(this.#keysThenIds());
        i += 1;
      } else parts.push(this.#argument(argument));
    }
    return fc.tuple(...parts).map((words) => words.flat());
  }

  #argument(argument: ArgumentDocs): fc.Arbitrary<Word[]> {
    const flags = argument.flags ?? [];
    const token = argument.token === undefined ? [] : [word(argument.token)];
    const once = argument.type === 'pure-token' ? nothing : this.#value(argument);
    const repeated = flags.includes('multiple')
      ? fc.array(once, { minLength: 1, maxLength: 3 }).map((times) => {
          if (!flags.includes('multiple_token')) return [...token, ...times.flat()];
          return times.flatMap((value) => [...token, ...value]);
        })
      : once.map((value) => [...token, ...value]);
    return flags.includes('optional') ? fc.oneof(nothing, repeated) : repeated;
  }

  #value(argument: ArgumentDocs): fc.Arbitrary<Word[]> {
    const children = argument.arguments ?? [];
    if (argument.type === 'oneof') return fc.oneof(...children.map((child) => this.#argument(child)));
    if (argument.type === 'block') return this.sequence(children);
    if (argument.type === 'key') return this.#key().map((key) => [key]);
    if (argument.type === 'string' || argument.type === 'pattern')
      return this.#text.map((text) => [word(text)]);
    return fc.integer({ min: 0, max: 9 }).map((value) => [word(String(value))]);
  }

  #key(): fc.Arbitrary<Word> {
    return this.#text.map((text) => word(text, true));
  }

  /** How many keys, then the keys; none where they are optional. */
  #counted(key: ArgumentDocs): fc.Arbitrary<Word[]> {
    const minLength = (key.flags ?? []).includes('optional') ? 0 : 1;
    const keys = fc.array(this.#key(), { minLength, maxLength: 4 });
    return keys.map((list) => [word(String(list.length)), ...list]);
  }

  /** The tail of XREAD: as many ids as keys. */
  #keysThenIds(): fc.Arbitrary<Word[]> {
    const keys = fc.array(this.#key(), { minLength: 1, maxLength: 4 });
    return keys.map((list) => [...list, ...list.map(() => word('0-0'))]);
  }
}

function word(text: string, isKey: boolean = false): Word {
  return { text: Buffer.from(text, 'latin1'), isKey };
}
