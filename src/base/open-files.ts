import { readFileSync } from 'node:fs';

/** How many files, sockets included, the system lets this process have open. Node has raised it to the hard limit when it started.
 *  Undefined: no limit, or none that can be read (other systems than Linux). Source: proc_pid_limits(5). */
export function openFilesMax(): number | undefined {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
