// Random faults for an hour: npm run soak -- --minutes 10 --seed 1
// Exit codes: 0 all promises kept, 1 one was not, 2 a mistake in the arguments.

import { writeFileSync } from 'node:fs';

import { readCount, readWord, readWords } from '../../src/cli/words.ts';
import { chooseBackend } from '../../src/drill/choose-backend.ts';
import { hasPassed } from '../../src/drill/report/outcome.ts';
import { renderDrillPage } from '../../src/drill/report/page.ts';
import { renderDrillText } from '../../src/drill/report/table.ts';
import { runSoak } from './soak.ts';

const USAGE = `Usage: npm run soak -- [--flag value]...

  --minutes 60       How long in all; or --seconds
  --every 20s        From one fault to the next
  --rate 500         Requests a second
  --shards 3         Behind nearcache
  --seed NUMBER      Of the faults: the same gives the same [default: another one each time]
  --crashes on|off   Kill nearcache too, in the first half [default on]
  --only NAME,NAME   Of the faults [default all]
  --backend auto|process|container  What servers run on
  --image redis:7    Of the containers
  --json FILE        Write all that was measured
  --report FILE.html Write the report with its timelines
`;
/** At most so many times what was asked for, to make up for time that other machines took. */
const MAKES_UP = 1.5;
const strings = [
  'minutes',
  'seconds',
  'every',
  'rate',
  'shards',
  'seed',
  'crashes',
  'backend',
  'image',
  'only',
  'json',
  'report',
];

const problems: string[] = [];
const { values, words } = readWords(process.argv.slice(2), strings, ['help'], problems);
const text = (name: string, initial: string): string => String(values[name] ?? initial);
const count = (name: string, initial: string, max: number): number =>
  readCount(name, text(name, initial).replace(/s$/, ''), max, problems);
const wanted = process.env['NEARCACHE_TEST_BACKEND'] ?? 'auto';
const backend = readWord(
  'backend',
  text('backend', wanted),
  ['auto', 'process', 'container'] as const,
  problems,
);
const seconds =
  values['seconds'] === undefined ? 60 * count('minutes', '60', 10_000) : count('seconds', '', 600_000);
const options = {
  seconds,
  mostSeconds: MAKES_UP * seconds,
  everySeconds: count('every', '20', 3600),
  ratePerSecond: count('rate', '500', 20_000),
  shards: count('shards', '3', 16),
  seed: count('seed', String(1 + Math.floor(Math.random() * 999_999)), 9_999_999),
  only: values['only'] === undefined ? [] : text('only', '').split(','),
  crashes: readWord('crashes', text('crashes', 'on'), ['on', 'off'] as const, problems) === 'on',
};
problems.push(...words.map((word) => `${word}: not understood`));
if (values['help'] === true || problems.length > 0) {
  console.log([...problems, USAGE].join('\n'));
  process.exit(problems.length > 0 ? 2 : 0);
}

const chosen = await chooseBackend(backend, text('image', 'redis:7'));
console.log(`servers: ${chosen.backend.name}, ${chosen.why}`);
const record = await runSoak({ ...options, backend: chosen.backend, say: (line) => console.log(line) });
const frame = { width: Math.max(60, process.stdout.columns ?? 120), hasColours: process.stdout.isTTY };
console.log(`\n${renderDrillText(record, frame)}`);
if (values['json'] !== undefined)
  writeFileSync(text('json', ''), `${JSON.stringify(record, undefined, 2)}\n`);
if (values['report'] !== undefined) writeFileSync(text('report', ''), renderDrillPage([record]));
// Not by itself: Node 26 sometimes waits for ever, and busily, for sockets that were reset (Environment::CleanupHandles).
process.exit(hasPassed(record) ? 0 : 1);
