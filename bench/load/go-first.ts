import koffi from 'koffi';

const SCHED_RR = 2;
const LOWEST_PRIORITY = 1;

/** Has this thread run as soon as it can, whatever else its core has to do: a network waits for no program of this machine, so
 *  bytes that are due must not stand behind the load's own work. Call from a process that sleeps most of the time.
 *  Where that is not allowed (Linux wants root or CAP_SYS_NICE), it holds some bytes longer, which the results show.
 *  Source: sched_setscheduler(2), sched(7). */
export function goFirst(): void {
  if (process.platform !== 'linux') return;
  const setScheduler = koffi
    .load(null)
    .func('int sched_setscheduler(int pid, int policy, const int *priority)');
  setScheduler(0, SCHED_RR, [LOWEST_PRIORITY]);
}
