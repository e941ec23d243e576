import { Redis } from 'ioredis';

import { textOf, type Argument } from '../support/raw-client.ts';

/** One command or subcommand as the live server describes it. */
export interface CommandFact {
  /** Lower case; a subcommand as `client|list`. */
  readonly name: string;
  /** As in `COMMAND`: counts the name, negative for "at least". */
  readonly arity: number;
  readonly flags: ReadonlySet<string>;
  readonly categories: ReadonlySet<string>;
  readonly hasKeys: boolean;
  readonly isContainer: boolean;
}

/** `COMMAND`'s row: name, arity, flags, first key, last key, step, categories, tips, key specs, subcommands. */
type Row = [string, number, string[], number, number, number, string[], unknown, unknown[], Row[]];

/** These change what the connection is, so they cannot stand inside a MULTI of an ordinary case. */
const neverQueued = new Set([
  'multi',
  'exec',
  'discard',
  'watch',
  'reset',
  'quit',
  'hello',
  'auth',
  'monitor',
]);

/** What the live server says about its commands. */
export class CommandFacts {
  readonly all: ReadonlyMap<string, CommandFact>;

  constructor(all: ReadonlyMap<string, CommandFact>) {
    this.all = all;
  }

  /** The command that these arguments call, or undefined when there is none. */
  find(args: readonly Argument[]): CommandFact | undefined {
    const name = word(args[0]);
    return this.all.get(`${name}|${word(args[1])}`) ?? this.all.get(name);
  }

  isRead(args: readonly Argument[]): boolean {
    return this.find(args)?.flags.has('readonly') ?? false;
  }

  isWrite(args: readonly Argument[]): boolean {
    return this.find(args)?.flags.has('write') ?? false;
  }

  mayQueue(args: readonly Argument[]): boolean {
    const fact = this.find(args);
    return (
      !neverQueued.has(word(args[0])) && !fact?.flags.has('no_multi') && !fact?.categories.has('@pubsub')
    );
  }
}

/** Asks the server at this port for all its commands. */
export async function readCommandFacts(port: number): Promise<CommandFacts> {
  const redis = new Redis(port, '127.0.0.1');
  try {
    const rows = (await redis.call('COMMAND')) as Row[];
    const all = rows.flatMap((row) => [row, ...row[9]]).map(factOf);
    return new CommandFacts(new Map(all.map((fact) => [fact.name, fact])));
  } finally {
    redis.disconnect();
  }
}

function factOf(row: Row): CommandFact {
  const [name, arity, flags, , , , categories, , keySpecs, subcommands] = row;
  return {
    name,
    arity,
    flags: new Set(flags),
    categories: new Set(categories),
    hasKeys: keySpecs.length > 0,
    isContainer: subcommands.length > 0,
  };
}

function word(argument: Argument | undefined): string {
  return argument === undefined ? '' : textOf(argument).toLowerCase();
}
