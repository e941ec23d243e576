import type { Read, RegisterHistory } from './history.ts';
import { PRESENT } from './history.ts';
import type { State } from './states.ts';

const LINES_MAX = 24;

/** What surrounds a wrong read, for people: the states between what it showed and what it should have, and the reads of
 *  that time. Units: ms relative to the read's start. */
export function excerptOf(
  register: RegisterHistory,
  states: readonly State[],
  read: Read,
  required: number,
): string[] {
  const ms = (time: number): string =>
    Number.isFinite(time) ? `${(time - read.start).toFixed(1)} ms` : String(time);
  const when = ({ start, end }: { start: number; end: number }): string => `[${ms(start)} … ${ms(end)}]`;
  const shown = states.findLast(({ token, start }) => token === read.token && start <= read.end);
  const from = shown === undefined ? states.length - 4 : states.indexOf(shown);
  const to = states.findIndex(({ version }) => version >= required);
  const stateLines = states.slice(Math.max(0, from), Math.max(from, to) + 2).map((state) => ({
    at: state.start,
    line: `  version ${state.version} = ${String(state.token)} ${when(state)} ${state.cause}`,
  }));
  const readLines = register.reads
    .filter((other) => Math.abs(other.start - read.start) < 50 || other.connection === read.connection)
    .filter((other) => Math.abs(other.start - read.start) < 2000)
    .toSorted((a, b) => Math.abs(a.start - read.start) - Math.abs(b.start - read.start))
    .slice(0, LINES_MAX)
    .map((other) => ({
      at: other.start,
      line: `${other === read ? '> ' : '  '}${other.command} on ${other.connection} ${when(other)} read ${
        other.token === PRESENT ? 'a value' : String(other.token)
      }${other.isHit ? ', a hit' : ''}`,
    }));
  return [...shorten(stateLines), ...readLines].toSorted((a, b) => a.at - b.at).map(({ line }) => line);
}

function shorten<T>(lines: readonly T[]): T[] {
  return lines.length <= LINES_MAX
    ? [...lines]
    : [...lines.slice(0, LINES_MAX / 2), ...lines.slice(-LINES_MAX / 2)];
}
