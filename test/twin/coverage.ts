import { childFrames } from '../support/frame-reader.ts';
import type { CommandFact, CommandFacts } from './command-facts.ts';
import type { Exchange } from './run.ts';

/** The kinds of answers of Redis that are looked for. `empty` is a nil, nothing or zero, and arrays of such. */
export type Kind = 'success' | 'empty' | 'wrongtype';

/** Commands and subcommands without a kind of answer, with the reason; `name*` stands for all that begin so. */
export type Exceptions = Readonly<Record<string, string>>;

/** Which commands have been seen with which kinds of answers. */
export class Coverage {
  readonly #facts: CommandFacts;
  readonly #seen = new Map<string, Set<Kind>>();

  constructor(facts: CommandFacts) {
    this.#facts = facts;
  }

  add(exchanges: readonly Exchange[]): void {
    for (const { args, frame } of exchanges) {
      const fact = this.#facts.find(args);
      const kind = kindOf(frame);
      if (fact === undefined || kind === undefined) continue;
      const kinds = this.#seen.get(fact.name) ?? new Set();
      this.#seen.set(fact.name, kinds.add(kind));
    }
  }

  /** The commands that should have an answer of this kind, have none and are no exception. */
  missing(kind: Kind, exceptions: Exceptions): string[] {
    const patterns = Object.keys(exceptions);
    return [...this.#facts.all.values()]
      .filter((fact) => isExpected(kind, fact) && !this.#seen.get(fact.name)?.has(kind))
      .map(({ name }) => name)
      .filter((name) => !patterns.some((pattern) => matches(pattern, name)));
  }

  /** Exceptions that are none, because every command they name has such an answer or there is no such command. */
  needless(kind: Kind, exceptions: Exceptions): string[] {
    const names = [...this.#facts.all.keys()];
    return Object.keys(exceptions).filter((pattern) =>
      names
        .filter((name) => matches(pattern, name))
        .every((name) => this.#seen.get(name)?.has(kind) === true),
    );
  }
}

const typed = [
  '@string',
  '@list',
  '@hash',
  '@set',
  '@sortedset',
  '@stream',
  '@bitmap',
  '@hyperloglog',
  '@geo',
];

function isExpected(kind: Kind, fact: CommandFact): boolean {
  // A container is nothing without its subcommand, except COMMAND.
  if (fact.isContainer && fact.name !== 'command') return false;
  if (kind === 'success') return true;
  if (!fact.hasKeys) return false;
  return kind === 'empty' || typed.some((category) => fact.categories.has(category));
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function kindOf(frame: Buffer): Kind | undefined {
  const start = frame.toString('latin1', 0, 16);
  if (start.startsWith('-WRONGTYPE')) return 'wrongtype';
  if (start.startsWith('-') || start.startsWith('+QUEUED')) return undefined;
  return isEmpty(frame) ? 'empty' : 'success';
}

/** -2 is how TTL, 0 (as a cursor), 0-0 and `none` are how SCAN, XAUTOCLAIM and TYPE say that there is nothing. */
const nothing = /^(_|\$-1|\$0\r\n|\*-1|[:,](0|-2)|\$1\r\n0|\$3\r\n0-0|\+none)\r\n$/;

function isEmpty(frame: Buffer): boolean {
  if (frame.length > 100) return false;
  const isAggregate = /^[*%~>]\d/.test(frame.toString('latin1', 0, 2));
  return isAggregate ? childFrames(frame).every(isEmpty) : nothing.test(frame.toString('latin1'));
}
