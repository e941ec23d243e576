import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Which cores make load and which serve it.
 *  Shape: what `taskset -c` takes, e.g. `0` and `1-3`. */
export interface Cores {
  readonly load: string;
  readonly servers: string;
}

/** The first core for the load, all others for the servers. Without this the kernel places three busy processes on two
 *  cores now this way, now that way, and the same program shows 75 or 120 thousand operations a second; every target is
 *  treated alike. Undefined where there is one core or no taskset. */
export function chooseCores(): Cores | undefined {
  const status = readFileSync('/proc/self/status', 'utf8');
  const cores = parseCoreList(/^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? '');
  if (cores.length < 2 || !isInstalled()) return undefined;
  return { load: String(cores[0]), servers: cores.slice(1).join(',') };
}

/** `0-2,5` as 0, 1, 2, 5. */
export function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    if (first === undefined || last === undefined || range === '') return [];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Moves all threads of a process; threads and children that it starts later stay there too.
 *  Errors: throws when the process has ended. */
export function pin(pid: number, cores: string): void {
  execFileSync('taskset', ['-acp', cores, String(pid)], { stdio: 'ignore' });
}

function isInstalled(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
