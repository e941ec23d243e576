import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** As `nice` has it: a tenth of the time, where there is not enough for all. */
const PRIORITY = 10;
const TASKS = '/proc/self/task';

/** Let the event loop go first. V8 collects garbage with four threads beside it; on a pod's one core they would have four fifths of
 *  the time while they do (docs/decisions/0011), and apps would wait for that long. What they do not get done, the event loop does.
 *  Shape: how many threads; 0 where there is no /proc (other systems than Linux), or it says nothing. */
export function lowerGarbageCollectors(): number {
  let lowered = 0;
  try {
    for (const task of readdirSync(TASKS)) {
      if (!readFileSync(`${TASKS}/${task}/comm`, 'utf8').includes('V8Worker')) continue;
      setPriority(Number(task), PRIORITY);
      lowered++;
    }
  } catch {
    // Nothing depends on it.
  }
  return lowered;
}
