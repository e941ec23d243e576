import { type ClientEntry, readClients, type RingAck } from '../route/ring-report.ts';

/** Whose connections are to be closed so that a nearcache that does not answer can send nothing more: all that bear its name, and those of
 *  its host that an app has named, unless a nearcache that has come so far is on the same host.
 *  Shape: `list` is the answer of CLIENT LIST, `seen` the record, `wanted` how far one is to be, `own` our own connection; answers
 *  client ids. */
export function clientsToKick(list: string, seen: string, wanted: RingAck, own: number): string[] {
  const entries = readClients(list);
  const isGood = ({ report }: ClientEntry): boolean => report?.ack === wanted && report.seen === seen;
  const good = new Set(entries.filter(isGood).map(({ instance }) => instance));
  const goodHosts = new Set(entries.filter(({ instance }) => good.has(instance)).map(({ host }) => host));
  const late = entries.filter(({ instance }) => instance !== undefined && !good.has(instance));
  const lateHosts = new Set(late.map(({ host }) => host).filter((host) => !goodHosts.has(host)));
  const beside = entries.filter(
    (entry) => entry.instance === undefined && !isPeer(entry) && lateHosts.has(entry.host),
  );
  return [...late, ...beside].map(({ id }) => id).filter((id) => id !== String(own));
}

/** Replicas and the primary are clients as well. */
function isPeer({ flags, name }: ClientEntry): boolean {
  return /[SM]/.test(flags) || name === 'nearcache-reshard';
}
