import type { Nearcache } from './nearcache.ts';

/** A metric's value now, summed over its labels unless they are part of `name`, as in `name{reason="output"}`.
 *  Errors: rejects when nearcache exports no such metric. */
export async function readMetric(nearcache: Nearcache, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${nearcache.adminPort}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => {
    return line.startsWith(name) && ' {'.includes(line.charAt(name.length));
  });
  if (lines.length === 0) throw new Error(`no metric ${name}`);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
