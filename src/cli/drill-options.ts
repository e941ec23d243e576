import { nearestName } from '../config/suggest.ts';
import { SCENARIOS } from '../drill/scenarios.ts';
import { readCount, readWord, readWords } from './words.ts';

const backends = ['auto', 'process', 'container'] as const;

/** What was asked for. Units: requests a second. Shape: `scenarios` are names, in the order they are played; none with `list`. */
export interface DrillToolOptions {
  readonly list: boolean;
  readonly scenarios: readonly string[];
  readonly seconds: number;
  readonly rate: number;
  readonly shards: number;
  readonly backend: (typeof backends)[number];
  readonly image: string;
  readonly report: string | undefined;
  readonly json: string | undefined;
  readonly keep: boolean;
}

const names = SCENARIOS.map(({ name }) => name);

export const DRILL_HELP: string = `Usage: nearcache drill SCENARIO... [--flag value]...
       nearcache drill all | --list

Try what apps see when Redis fails. Servers, a nearcache and a load whose every reply is checked are started here, on free
ports of this machine, and end with the drill; nothing else is touched. Exits with 1 when a promise was not kept.

  --list                            Print the scenarios
  --seconds SECONDS                 How long each lasts [default 20; 4 to 3600]
  --rate REQUESTS/s                 Load [default 1000/s; 50 to 20000]
  --shards COUNT                    Shards behind nearcache [default 3; 2 to 16]
  --backend auto|process|container  What servers run on [default auto: containers where a Docker engine answers, else
                                    the redis-server of the PATH]
  --image IMAGE                     Of the containers [default redis:7]
  --report FILE.html                Write the report with its timelines
  --json FILE                       Write all that was measured
  --keep                            Leave everything running after the last scenario, until Ctrl-C

${SCENARIOS.map(({ name, title }) => `  ${name.padEnd(20)}${title}`).join('\n')}
`;

const strings = ['seconds', 'rate', 'shards', 'backend', 'image', 'report', 'json'] as const;
const switches = ['list', 'keep'] as const;

/** Read the arguments behind `drill`. Errors: none thrown; every mistake is a line of `problems`. */
export function readDrillOptions(
  argv: readonly string[],
): { readonly options: DrillToolOptions } | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const { values, words } = readWords(argv, strings, switches, problems);
  const text = (name: (typeof strings)[number], initial: string): string => String(values[name] ?? initial);
  const options: DrillToolOptions = {
    list: values['list'] === true,
    scenarios: values['list'] === true ? [] : readScenarios(words, problems),
    seconds: readCount('seconds', text('seconds', '20').replace(/s$/, ''), 3600, problems),
    rate: readCount('rate', text('rate', '1000').replace(/\/s$/, ''), 20_000, problems),
    shards: readCount('shards', text('shards', '3'), 16, problems),
    backend: readWord('backend', text('backend', 'auto'), backends, problems),
    image: text('image', 'redis:7'),
    report: values['report'] === undefined ? undefined : text('report', ''),
    json: values['json'] === undefined ? undefined : text('json', ''),
    keep: values['keep'] === true,
  };
  for (const [flag, least] of [
    ['seconds', 4],
    ['rate', 50],
    ['shards', 2],
  ] as const) {
    if (options[flag] > 0 && options[flag] < least)
      problems.push(`--${flag}: "${options[flag]}" is not accepted; accepted: from ${least} on`);
  }
  return problems.length > 0 ? { problems } : { options };
}

function readScenarios(words: readonly string[], problems: string[]): readonly string[] {
  if (words.length === 0) problems.push(`drill: which scenario? accepted: all, ${names.join(', ')}`);
  for (const word of words) {
    if (word === 'all' || names.includes(word)) continue;
    const nearest = nearestName(word, names);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    problems.push(`drill: no such scenario: "${word}"${hint}; accepted: all, ${names.join(', ')}`);
  }
  return words.includes('all') ? names : words;
}
