// Bad clients for a while: npm run fuzz -- --minutes 10 --seed 1

import { parseArgs } from 'node:util';

import { printable, verdict } from './report.ts';
import { runFuzz } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    /** Names of strategies, with commas between. */
    only: { type: 'string' },
    cores: { type: 'string', default: '1' },
  },
});

const report = await runFuzz({
  seconds: Number(values.minutes) * 60,
  seed: Number(values.seed),
  cores: Number(values.cores),
  ...(values.only === undefined ? {} : { only: values.only.split(',') }),
});
console.log(printable(report));
process.exitCode = verdict(report).length === 0 ? 0 : 1;
console.log((report as unknown as {trend: number[]}).trend.join(' '));
