import { harmlessRequest, harmlessStream } from '../harmless.ts';
import { mustAgree } from '../oracle.ts';
import type { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

/** Requests whose counts and lengths are wrong: a little off, huge, negative, no numbers, or arrays inside arrays. */
export const lyingLengths: Strategy = {
  name: 'lying lengths',
  workers: 2,
  round(target, random) {
    const before = random.chance(0.5) ? harmlessStream(random) : Buffer.alloc(0);
    const after = random.chance(0.5) ? harmlessStream(random) : Buffer.alloc(0);
    const bytes = Buffer.concat([before, liar(random), after]);
    return mustAgree(target, random, bytes.subarray(0, 16_000));
  },
};

const HUGE = [
  '536870912',
  '536870913',
  '1048576',
  '2147483647',
  '4294967296',
  '9223372036854775808',
  '9'.repeat(30),
];
const ODD = ['-1', '-2', '-0', '00', '07', '+1', '', ' 1', '1 ', 'x', '1.5', '1e3', '0x10', '\0', '?'];

function liar(random: Random): Buffer {
  if (random.chance(0.1)) return Buffer.from('*1\r\n'.repeat(random.int(2, 2000)));
  const args = harmlessRequest(random);
  const liesAt = random.int(-1, args.length - 1);
  let text = `*${liesAt < 0 ? lie(args.length, random) : args.length}\r\n`;
  for (const [index, arg] of args.entries()) {
    const length = index === liesAt ? lie(arg.length, random) : String(arg.length);
    text += `$${length}\r\n${arg}\r\n`;
  }
  return Buffer.from(text, 'latin1');
}

function lie(truth: number, random: Random): string {
  switch (random.int(0, 3)) {
    case 0:
      return random.pick(HUGE);
    case 1:
      return random.pick(ODD);
    case 2:
      return String(Math.max(0, truth + random.int(-3, 3)));
    default:
      return String(random.int(0, 70_000));
  }
}
