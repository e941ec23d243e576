import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startHop } from '../../../../bench/load/hop.ts';

const SCHED_OTHER = 0;
const SCHED_RR = 2;
/** Nobody connects, so nothing needs to listen there. */
const NO_SERVER = 1;

/** Of the first thread of a process. Source: proc(5), field 41 of /proc/<pid>/stat; the name in field 2 may hold blanks. */
function policyOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[38]);
}

/** As util-linux finds it, which Linux has as a matter of course. */
function mayGoFirst(): boolean {
  return spawnSync('chrt', ['--rr', '1', 'true']).status === 0;
}

test('a hop goes before other processes where it may, and goes on where it may not', async () => {
  const hop = await startHop(NO_SERVER, 0.5);
  try {
    expect(policyOf(process.pid)).toBe(SCHED_OTHER);
    expect(policyOf(hop.pid)).toBe(mayGoFirst() ? SCHED_RR : SCHED_OTHER);
  } finally {
    await hop.stop();
  }
});
