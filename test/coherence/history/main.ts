// Histories over a real Redis and a real nearcache: npm run test:coherence -- --runs 25 --seconds 10 --seed 1
// One kind of run again:  npm run test:coherence -- --fault cut --runs 1 --seed 7
// Over several servers:   --topology ring (or cluster, sentinel, single; several with commas between; all when absent)
// Another nearcache:      --root <folder>, further flags of nearcache: --flags='--cache-size 0'
// Exit codes: 0 passed, 1 failed.

import { parseArgs } from 'node:util';

import { TOPOLOGIES } from './backend.ts';
import { FAULTS } from './faults.ts';
import { printable, verdict } from './report.ts';
import { runHistory } from './run.ts';

const { values } = parseArgs({
  options: {
    topology: { type: 'string', default: TOPOLOGIES.join(',') },
    /** As many as there are kinds of runs when absent. */
    runs: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    /** Names of kinds of runs, with commas between; all, one after another, when absent. */
    fault: { type: 'string' },
    root: { type: 'string' },
    flags: { type: 'string' },
    /** nearcache's --max-staleness in ms. */
    staleness: { type: 'string' },
  },
});

const names = values.fault?.split(',');
const wanted = values.topology.split(',');
const kinds = TOPOLOGIES.filter((topology) => wanted.includes(topology)).flatMap((topology) =>
  FAULTS[topology]
    .filter(({ name }) => names?.includes(name) !== false)
    .map((fault) => ({ topology, fault })),
);
if (kinds.length === 0) {
  const known = TOPOLOGIES.map(
    (topology) => `${topology}: ${FAULTS[topology].map(({ name }) => name).join(', ')}`,
  );
  console.error(`no such runs; there are\n${known.join('\n')}`);
  process.exit(1);
}
const runs = Number(values.runs ?? kinds.length);
let failed = 0;
for (let i = 0; i < runs; i++) {
  const report = await runHistory({
    ...(kinds[i % kinds.length] as (typeof kinds)[number]),
    seconds: Number(values.seconds),
    seed: Number(values.seed) + i,
    stalenessMs: values.staleness === undefined ? undefined : Number(values.staleness),
    root: values.root,
    flags: values.flags?.split(' ') ?? [],
  });
  console.log(printable(report));
  if (verdict(report).length > 0) failed++;
}
console.log(`${runs - failed} runs passed, ${failed} failed`);
// Not by itself: libuv has been seen to wait for ever for a socket that was reset.
process.exit(failed === 0 ? 0 : 1);
