/** What the kernel says about CPU time and memory of processes.
 *  Source: proc(5), /proc/<pid>/stat and /proc/stat; both count in clock ticks of 10 ms (USER_HZ is 100 wherever Node runs).
 *  Documentation/scheduler/sched-stats.rst of Linux for /proc/<pid>/task/<tid>/schedstat, which counts nanoseconds. */
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

/** CPU time that a process has used so far, all threads, user and system.
 *  Units: seconds, in steps of 10 ms.
 *  Errors: throws when the process has ended. */
export function cpuSeconds(pid: number): number {
  return parseProcessCpu(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** CPU time that the threads which a process has now have used so far, for what is measured in less than a second: `cpuSeconds` is
 *  5 % off then.
 *  Units: seconds, in steps of a nanosecond; of 10 ms where the kernel has no schedstat.
 *  Errors: throws when the process has ended. */
export function threadCpuSeconds(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => {
      return sum + parseSchedstat(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'));
    }, 0);
  } catch {
    return cpuSeconds(pid);
  }
}

/** Shape: time on a core, time waiting for one, number of slices. */
export function parseSchedstat(text: string): number {
  return Number(text.split(' ', 1)[0]) / 1e9;
}

/** The process name may hold spaces and brackets, so fields are counted from its last closing bracket. */
export function parseProcessCpu(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** CPU time of the children of this process that have ended and were waited for. Units: seconds. */
export function endedChildrenCpuSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** Resident memory of a process now. Units: bytes. */
export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) * 1024;
}

/** CPU time that all programs of the machine have used, and what the hypervisor gave to other machines.
 *  Interrupts are left out: the kernel bills them to nobody, so they cannot be told apart from our own traffic.
 *  Units: seconds, summed over the cores. */
export function machineBusySeconds(): number {
  return parseMachineBusy(readFileSync('/proc/stat', 'utf8'));
}

export function parseMachineBusy(stat: string): number {
  const [user = 0, nice = 0, system = 0] = machineTicks(stat);
  return (user + nice + system) / ticksPerSecond + parseMachineStolen(stat);
}

/** CPU time that the hypervisor gave to other machines while this one had something to do. Units: seconds, summed over the cores. */
export function machineStolenSeconds(): number {
  return parseMachineStolen(readFileSync('/proc/stat', 'utf8'));
}

export function parseMachineStolen(stat: string): number {
  return (machineTicks(stat)[7] ?? 0) / ticksPerSecond;
}

/** Shape: user, nice, system, idle, iowait, irq, softirq, steal … */
function machineTicks(stat: string): number[] {
  return stat.split('\n', 1)[0]!.split(/\s+/).slice(1).map(Number);
}
