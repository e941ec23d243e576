import type { CommandFact, CommandFacts } from '../command-facts.ts';
import type { Line, Step } from '../script.ts';

/** A case made from the server's own list of commands. */
type Make = (facts: CommandFacts) => readonly Step[];

export const mistakes: Readonly<Record<string, Make>> = {
  'one argument too few is answered as Redis does': tooFew,
  'one argument too many is answered as Redis does': tooMany,
  'too few or too many arguments abort a transaction': (facts) =>
    aborted([...tooFew(facts), ...tooMany(facts)]),
  'the name alone of a command is answered as Redis does': (facts) =>
    [...facts.all.values()]
      .filter(({ name, arity }) => !name.includes('|') && Math.abs(arity) > 1)
      .map(({ name }) => [name]),
  'an unknown subcommand is answered as Redis does': unknownSubcommands,
  'an unknown subcommand aborts a transaction': (facts) => aborted(unknownSubcommands(facts)),
};

function tooFew(facts: CommandFacts): Line[] {
  return [...facts.all.values()]
    .filter((fact) => Math.abs(fact.arity) > words(fact.name).length)
    .map((fact) => filled(fact, Math.abs(fact.arity) - 1));
}

function tooMany(facts: CommandFacts): Line[] {
  return [...facts.all.values()].filter(({ arity }) => arity > 0).map((fact) => filled(fact, fact.arity + 1));
}

function unknownSubcommands(facts: CommandFacts): Line[] {
  return [...facts.all.values()]
    .filter(({ isContainer }) => isContainer)
    .flatMap(({ name }) => [
      [name, 'nosuch'],
      [name, 'NoSuch', 'a', 'b c'],
      [name, ''],
    ]);
}

/** A transaction for each line: the line is refused, so EXEC is. */
function aborted(lines: readonly Line[]): Step[] {
  return lines.flatMap((line) => ['MULTI', line, 'EXEC']);
}

function filled(fact: CommandFact, count: number): Line {
  const line = words(fact.name);
  while (line.length < count) line.push('1');
  return line;
}

function words(name: string): string[] {
  return name.split('|');
}
