import { argumentsOf } from './script.ts';
import type { CommandFacts } from './command-facts.ts';
import type { Line, Step } from './script.ts';

/** The ways in which a plain case is sent. */
export type Shape = (typeof shapes)[number];

export const shapes = ['one by one', 'in one write', 'EXEC in one write', 'EXEC one by one'] as const;

/** The steps of a plain case in one shape. Reads are repeated, since through nearcache the second is a hit, and asked again
 *  after each write, since that hit must then be gone. */
export function stepsIn(shape: Shape, lines: readonly Line[], facts: CommandFacts): readonly Step[] {
  if (shape === 'one by one') return withRepeatedReads(lines, facts);
  if (shape === 'in one write') return [{ on: 'a', pipeline: withRepeatedReads(lines, facts) }];
  const reads = lines.filter((line) => facts.isRead(argumentsOf(line)));
  const block = ['MULTI', ...lines.filter((line) => facts.mayQueue(argumentsOf(line))), 'EXEC'];
  return [...reads, ...(shape === 'EXEC one by one' ? block : [{ on: 'a', pipeline: block }]), ...reads];
}

/** So many of the latest reads are asked again after a write. */
const repeatedReads = 6;

function withRepeatedReads(lines: readonly Line[], facts: CommandFacts): readonly Line[] {
  const repeated: Line[] = [];
  const reads = new Set<Line>();
  for (const line of lines) {
    repeated.push(line);
    const args = argumentsOf(line);
    if (facts.isRead(args)) {
      repeated.push(line);
      reads.delete(line);
      reads.add(line);
    } else if (facts.isWrite(args)) {
      repeated.push(...[...reads].slice(-repeatedReads));
    }
  }
  return repeated;
}
