// Bad clients for a while: npm run fuzz -- --minutes 10 --seed 1
// One failed round again:   npm run fuzz -- --only 'lying lengths' --round 2158319991
// Exit codes: 0 passed, 1 failed.

import { parseArgs } from 'node:util';

import { printable, verdict } from './report.ts';
import { runFuzz } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    /** Names of strategies, with commas between. */
    only: { type: 'string' },
    /** The seed of one round that failed: sends that round again, once. */
    round: { type: 'string' },
    cores: { type: 'string', default: '1' },
  },
});

const report = await runFuzz({
  seconds: Number(values.minutes) * 60,
  seed: Number(values.seed),
  cores: Number(values.cores),
  only: values.only?.split(','),
  round: values.round === undefined ? undefined : Number(values.round),
});
console.log(printable(report));
process.exitCode = verdict(report).length === 0 ? 0 : 1;
