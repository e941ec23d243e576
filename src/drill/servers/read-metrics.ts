/** All metrics of a nearcache now. Shape: each sample by its whole name, labels included, and by the bare name the sum of
 *  all its samples. */
export async function readMetrics({
  adminPort,
}: {
  adminPort: number;
}): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const metrics = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    const [sample, value] = [line.slice(0, at), Number(line.slice(at + 1))];
    const name = sample.replace(/\{.*/, '');
    metrics.set(name, (metrics.get(name) ?? 0) + value);
    if (name !== sample) metrics.set(sample, value);
  }
  return metrics;
}

/** One metric's value now, summed over its labels unless they are part of `name`, as in `name{reason="output"}`.
 *  Errors: rejects when nearcache exports no such metric. */
export async function readMetric(nearcache: { adminPort: number }, name: string): Promise<number> {
  const value = (await readMetrics(nearcache)).get(name);
  if (value === undefined) throw new Error(`no metric ${name}`);
  return value;
}
