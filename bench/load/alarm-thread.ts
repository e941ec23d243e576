/** The sleeper behind an alarm. Shared memory: one Int32 that is 1 while an alarm is set, one that nobody ever changes, and a
 *  Float64 with the milliseconds. */
import { readlinkSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

sharpenSleep();
const shared = workerData as SharedArrayBuffer;
const [state, ms] = [new Int32Array(shared, 0, 2), new Float64Array(shared, 8, 1)];
for (;;) {
  Atomics.wait(state, 0, 0);
  Atomics.wait(state, 1, 0, ms[0]);
  Atomics.store(state, 0, 0);
  parentPort?.postMessage(undefined, []);
}

/** Linux lets every sleep last up to 50 µs longer, to save wake-ups, unless a thread says otherwise.
 *  Source: proc(5), /proc/<pid>/timerslack_ns; it exists for each thread's own id. */
function sharpenSleep(): void {
  try {
    const thread = readlinkSync('/proc/thread-self').split('/').at(-1);
    writeFileSync(`/proc/${thread}/timerslack_ns`, '1000');
  } catch {
    // Not Linux, or not allowed: sleeps are a little longer.
  }
}
