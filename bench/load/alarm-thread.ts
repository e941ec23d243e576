/** The sleeper behind an alarm. Shared memory: one Int32 that is 1 while an alarm is set, one that nobody ever changes, and a
 *  Float64 with the milliseconds. */
import { parentPort, workerData } from 'node:worker_threads';

import { sharpenSleep } from './sharpen-sleep.ts';

sharpenSleep();
const shared = workerData as SharedArrayBuffer;
const [state, ms] = [new Int32Array(shared, 0, 2), new Float64Array(shared, 8, 1)];
for (;;) {
  Atomics.wait(state, 0, 0);
  Atomics.wait(state, 1, 0, ms[0]);
  Atomics.store(state, 0, 0);
  parentPort?.postMessage(undefined, []);
}
