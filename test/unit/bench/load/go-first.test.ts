import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

const GO_FIRST = new URL('../../../../bench/load/go-first.ts', import.meta.url);
const SCHED_RR = 2;

/** Field 41 of proc(5)'s /proc/<pid>/stat, of the thread that asks; the name in field 2 may hold blanks. */
const policy = `import { readFileSync } from 'node:fs';
  const policy = () => Number(readFileSync('/proc/thread-self/stat', 'utf8').split(') ').at(-1).split(' ')[38]);`;

/** In a thread of its own: this one must not be faster than others for the tests that follow. */
async function policiesOfAThread(): Promise<number[]> {
  const source = `${policy}
    import { parentPort } from 'node:worker_threads';
    import { goFirst } from ${JSON.stringify(GO_FIRST.href)};
    const before = policy();
    goFirst();
    parentPort.postMessage([before, policy()]);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  return new Promise((done, failed) => worker.once('message', done).once('error', failed));
}

/** As util-linux finds it, which Linux has as a matter of course. */
function mayGoFirst(): boolean {
  return spawnSync('chrt', ['--rr', '1', 'true']).status === 0;
}

test('the thread of a hop goes before others where it may, and goes on where it may not', async () => {
  const [before, after] = await policiesOfAThread();
  expect(before).toBe(0);
  expect(after).toBe(mayGoFirst() ? SCHED_RR : 0);
});
