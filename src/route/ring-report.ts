import type { RingRecord } from './ring-record.ts';

/** How far a nearcache is at one shard. serving: it knows nothing of a change, or not of this one. ready: it knows both rings.
 *  holding: it sends nothing more on keys that leave. held: and all that it had sent was answered. migrating, done: as the record.
 *  refusing: it does not know the ring that is in force. */
export const ringAcks = ['serving', 'ready', 'holding', 'held', 'migrating', 'done', 'refusing'] as const;
export type RingAck = (typeof ringAcks)[number];

/** What a nearcache says of itself at one shard. Shape: `from` and `to` are the fingerprints of the rings it was configured with, `to`
 *  '-' = none; `seen` the record that `ack` is about, `id.seq`, or '-'. */
export interface RingReport {
  readonly instance: string;
  readonly from: string;
  readonly to: string;
  readonly seen: string;
  readonly ack: RingAck;
}

/** The name of each connection of a nearcache to a shard of a ring, unless the app gave it another. */
const INSTANCE_PREFIX = 'nearcache/';
const REPORT_PREFIX = 'nearcache-ring/';
/** What connections are called that belong to no ring. */
const UNNAMED = 'nearcache';

export function instanceName(instance: string): string {
  return INSTANCE_PREFIX + instance;
}

/** The report is the name of a connection: it is there exactly as long as the one who made it can reach the shard, needs no clock,
 *  and leaves no key behind. */
export function reportName({ instance, from, to, seen, ack }: RingReport): string {
  return REPORT_PREFIX + [instance, from, to, seen, ack].join('/');
}

export function seenOf(record: RingRecord | undefined): string {
  return record === undefined ? '-' : `${record.id}.${record.seq}`;
}

/** One line of CLIENT LIST. Shape: `instance` = whose connection it is, if a nearcache's; one that has not said is named after its host. */
export interface ClientEntry {
  readonly id: string;
  readonly host: string;
  readonly name: string;
  readonly flags: string;
  readonly instance: string | undefined;
  readonly report: RingReport | undefined;
}

/** Who is connected to a shard. Shape: `reports` has one entry a report connection, so an instance whose old connection has not ended yet
 *  has two; `silent` are instances that have connections but no report. */
export interface Attendance {
  readonly reports: readonly RingReport[];
  readonly silent: ReadonlySet<string>;
}

/** Read the answer of CLIENT LIST. Cost: O(clients). */
export function readAttendance(clientList: string): Attendance {
  const entries = readClients(clientList);
  const reports = entries.flatMap(({ report }) => report ?? []);
  const reporting = new Set(reports.map(({ instance }) => instance));
  // One that knows no instances, since it has a single shard, has no report on its host either.
  for (const { host, report } of entries) if (report !== undefined) reporting.add(unnamedAt(host));
  const silent = new Set(entries.flatMap(({ instance }) => instance ?? []));
  for (const instance of reporting) silent.delete(instance);
  return { reports, silent };
}

/** Every client of the answer of CLIENT LIST. */
export function readClients(clientList: string): ClientEntry[] {
  return clientList.split('\n').flatMap((line) => {
    const [, id] = /^id=(\d+)/.exec(line) ?? [];
    const [, host] = / addr=(\S*):\d+/.exec(line) ?? [];
    if (id === undefined || host === undefined) return [];
    const [, name = ''] = / name=(\S*)/.exec(line) ?? [];
    const [, flags = ''] = / flags=(\S*)/.exec(line) ?? [];
    const report = parseReport(name);
    return [{ id, host, name, flags, instance: report?.instance ?? instanceOf(name, host), report }];
  });
}

function instanceOf(name: string, host: string): string | undefined {
  if (name.startsWith(INSTANCE_PREFIX)) return name.slice(INSTANCE_PREFIX.length);
  return name === UNNAMED ? unnamedAt(host) : undefined;
}

function unnamedAt(host: string): string {
  return `${UNNAMED}@${host}`;
}

/** Read the name of a connection; undefined when it is no report. */
export function parseReport(name: string): RingReport | undefined {
  if (!name.startsWith(REPORT_PREFIX)) return undefined;
  const [instance, from, to, seen, given] = name.slice(REPORT_PREFIX.length).split('/');
  const ack = ringAcks.find((each) => each === given);
  if (instance === undefined || from === undefined || to === undefined) return undefined;
  return seen === undefined || ack === undefined ? undefined : { instance, from, to, seen, ack };
}
