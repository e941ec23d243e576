import { textOf, type Argument } from '../support/raw-client.ts';

/** A command: its words as one writes them for redis-cli (quotes, `\xHH` inside double quotes), or its arguments ready.
 *  `{name}` in a word stands for what a `save` step or the runner stored under that name. */
export type Line = string | readonly Argument[];

/** One thing that a script does; a bare line is sent by client `a`, which waits for one reply. */
export type Step =
  | Line
  /** Sends and then reads `frames` replies: 0 for a command that blocks or is not answered. */
  | { on: string; send: Line; frames: number }
  /** Sends all in one write, then reads a reply for each. */
  | { on: string; pipeline: readonly Line[] }
  /** Sends bytes as they are, then reads `frames` replies. */
  | { on: string; raw: Argument; frames: number }
  | { on: string; read: number }
  /** As many frames, in an order that is by a random seed of the server. */
  | { on: string; readAny: number }
  /** Keeps what `pattern`'s group finds in this client's last reply. */
  | { on: string; save: string; pattern: RegExp }
  /** The server ends the connection: all that it still sends counts. */
  | { on: string; ended: true }
  /** The client ends the connection. */
  | { on: string; close: true }
  /** Asks Redis itself until the answer holds this text. */
  | { until: Line; shows: string };

/** Plain commands of one client. They run one by one, in one write, and inside MULTI … EXEC. */
export type Plain = string | readonly Line[];

/** A case whose order or clients matter: it runs only as it stands, in the protocols named (default both). */
export interface Script {
  protocols?: readonly Protocol[];
  /** No PING at the end, where it would be refused or is not answered. */
  noPing?: true;
  /** No keys of every type beforehand. */
  bare?: true;
  steps: readonly Step[];
}

export type Protocol = 2 | 3;

/** The cases of one group of commands, by title. */
export interface Group {
  name: string;
  /** With keys of every type beforehand (see `fixture`). */
  plain?: Readonly<Record<string, Plain>>;
  /** In an empty keyspace. */
  bare?: Readonly<Record<string, Plain>>;
  scripts?: Readonly<Record<string, Script>>;
}

/** One key of every type, named after it. At most 4 members in a hash table, so that its order does not depend on when
 *  the server goes on with a rehash. */
export const fixture: readonly string[] = [
  'SET str hello',
  'SET num 10',
  'RPUSH list a b c',
  'HSET hash f v g 2',
  'SADD set a b c',
  'SADD ints 1 2 3',
  'ZADD zset 1 a 2 b 3.5 c',
  'XADD stream 1-1 f v',
  'XADD stream 2-1 f v2 g w2',
  'XGROUP CREATE stream group 0',
  'GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania',
  'PFADD hll a b c',
];

/** Sends on client `who` and reads `frames` replies. */
export function on(who: string, send: Line, frames = 1): Step {
  return { on: who, send, frames };
}

export function read(who: string, count = 1): Step {
  return { on: who, read: count };
}

export function raw(who: string, bytes: Argument, frames = 1): Step {
  return { on: who, raw: bytes, frames };
}

/** Waits until Redis has this many blocked clients. */
export function blocked(count: number): Step {
  return { until: 'INFO clients', shows: `blocked_clients:${count}\r` };
}

/** Reads frames whose order does not count. */
export function readAny(who: string, count: number): Step {
  return { on: who, readAny: count };
}

/** The lines of a plain case. */
export function linesOf(plain: Plain): readonly Line[] {
  if (typeof plain !== 'string') return plain;
  return plain
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0' };

/** A line's arguments. */
export function argumentsOf(line: Line): readonly Argument[] {
  if (typeof line !== 'string') return line;
  const words = line.match(/"(?:\\.|[^"\\])*"|\S+/gs) ?? [];
  return words.map((word) => (word.startsWith('"') ? unescape(word.slice(1, -1)) : word));
}

function unescape(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|.)/gs, (_, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return escapes[code] ?? code;
  });
}

/** A line for a message, cut short. */
export function label(line: Line): string {
  const text = typeof line === 'string' ? line : line.map(shown).join(' ');
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function shown(argument: Argument): string {
  return argument.length > 100 ? `<${argument.length} bytes>` : JSON.stringify(textOf(argument));
}
