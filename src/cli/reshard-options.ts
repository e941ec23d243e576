import { parseDuration } from '../config/units.ts';
import type { OnConflict } from '../reshard/copier.ts';
import { type MoveMethod, moveMethods } from '../route/ring-record.ts';
import { readCount, readWord, readWords } from './words.ts';

const commands = ['plan', 'run', 'status'] as const;

/** What was asked for. Units: keys a second, ms. */
export interface ReshardOptions {
  readonly command: (typeof commands)[number];
  readonly from: string;
  readonly to: string;
  readonly rate: number;
  readonly batch: number;
  readonly holdMs: number;
  readonly method: MoveMethod | 'auto';
  readonly onConflict: OnConflict;
  readonly resume: boolean;
  readonly deleteStrays: boolean;
  readonly kick: boolean;
  readonly json: boolean;
}

export const RESHARD_HELP = `Usage: nearcache reshard plan|run|status --from FILE --to FILE [--flag value]...

Make the ring of one configuration file that of another, while apps use it. Every nearcache must have been
told of the new ring as "next" of the old one; docs/operating.md has the steps.

  plan                          Count what would move, from where to where
  run                           Do it; stopped at any moment, it goes on with --resume
  status                        How far it is, and which nearcaches are how far

  --from FILE                   Configuration file with the ring as it is
  --to FILE                     Configuration file with the ring as it is to be
  --rate KEYS/s                 Keys moved a second in the background [default 5000/s; 1 to 1000000]
  --batch KEYS                  Keys of one SCAN, and at most of one MIGRATE [default 100; 1 to 1000]
  --hold TIME                   How long keys that move may have to wait at the switch, each try [default 2s; 100ms to 2500ms]
  --method auto|migrate|copy    How keys are moved; copy = DUMP and RESTORE [default auto: migrate if all shards may]
  --conflicts stop|keep-new|keep-old
                                For keys that are on both shards with different values [default stop]
  --delete-strays               Delete keys on shards that do not own them in the old ring
  --kick                        Close the connections of nearcaches that do not answer
  --resume                      Go on with a change that has begun
  --json                        Print JSON lines
`;

const strings = ['from', 'to', 'rate', 'batch', 'hold', 'method', 'conflicts'] as const;
const switches = ['delete-strays', 'kick', 'resume', 'json'] as const;
const conflictWords: readonly OnConflict[] = ['stop', 'keep-new', 'keep-old'];

/** Read the arguments behind `reshard`. Errors: none thrown; every mistake is a line of `problems`. */
export function readReshardOptions(
  argv: readonly string[],
): { readonly options: ReshardOptions } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const { values, words } = readWords(argv, strings, switches, problems);
  const command = commands.find((each) => each === words[0]);
  if (command === undefined || words.length > 1) {
    problems.push(`reshard: "${words.join(' ')}" is not a command; accepted: ${commands.join(', ')}`);
  }
  for (const name of ['from', 'to'] as const) {
    if (typeof values[name] !== 'string') problems.push(`--${name}: is required; accepted: a file`);
  }
  const options = {
    command: command ?? 'plan',
    from: String(values['from']),
    to: String(values['to']),
    rate: readCount('rate', String(values['rate'] ?? '5000/s').replace(/\/s$/, ''), 1_000_000, problems),
    batch: readCount('batch', String(values['batch'] ?? '100'), 1000, problems),
    holdMs: readHold(String(values['hold'] ?? '2s'), problems),
    method: readWord('method', values['method'] ?? 'auto', ['auto', ...moveMethods], problems),
    onConflict: readWord('conflicts', values['conflicts'] ?? 'stop', conflictWords, problems),
    resume: values['resume'] === true,
    deleteStrays: values['delete-strays'] === true,
    kick: values['kick'] === true,
    json: values['json'] === true,
  };
  return problems.length > 0 ? { problems } : { options };
}

/** A nearcache gives a hold up by itself after 3 s. */
function readHold(text: string, problems: string[]): number {
  const value = parseDuration(text);
  if (value !== undefined && value >= 100 && value <= 2500) return value;
  problems.push(`--hold: "${text}" is not accepted; accepted: 100ms to 2500ms`);
  return 0;
}
