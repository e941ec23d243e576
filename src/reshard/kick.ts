import { parseReport, type RingAck } from '../route/ring-report.ts';

interface ClientLine {
  readonly id: string;
  readonly host: string;
  readonly instance: string | undefined;
  readonly isGood: boolean;
  readonly isPeer: boolean;
}

/** Whose connections are to be closed so that a nearcache that does not answer can send nothing more: all that bear its name, and those of
 *  its host that an app has named, unless a nearcache that has come so far is on the same host.
 *  Shape: `list` is the answer of CLIENT LIST, `seen` the record, `wanted` how far one is to be, `own` our own connection; answers client ids. */
export function clientsToKick(list: string, seen: string, wanted: RingAck, own: number): string[] {
  const lines = list.split('\n').flatMap((line) => readLine(line, seen, wanted));
  const held = new Set(lines.filter(({ isGood }) => isGood).map(({ instance }) => instance));
  const late = lines.filter(({ instance }) => instance !== undefined && !held.has(instance));
  const good = lines.filter(({ instance }) => instance !== undefined && held.has(instance));
  const lateHosts = new Set(late.map(({ host }) => host));
  for (const { host } of good) lateHosts.delete(host);
  const beside = lines.filter(
    ({ instance, host, isPeer }) => instance === undefined && !isPeer && lateHosts.has(host),
  );
  return [...late, ...beside].map(({ id }) => id).filter((id) => id !== String(own));
}

function readLine(line: string, seen: string, wanted: RingAck): ClientLine[] {
  const fields = new Map(
    line.split(' ').map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
  );
  const [id, addr, name = '', flags = ''] = ['id', 'addr', 'name', 'flags'].map((field) => fields.get(field));
  if (id === undefined || addr === undefined) return [];
  const report = parseReport(name);
  const instance =
    report?.instance ?? (name.startsWith('nearcache/') ? name.slice('nearcache/'.length) : undefined);
  const isGood = report?.ack === wanted && report.seen === seen;
  // Replicas and the primary are clients as well.
  const isPeer = /[SM]/.test(flags) || name === 'nearcache-reshard';
  return [{ id, host: addr.slice(0, addr.lastIndexOf(':')), instance, isGood, isPeer }];
}
