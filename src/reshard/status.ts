import type { RingReport } from '../route/ring-report.ts';
import type { RingRecord } from '../route/ring-record.ts';
import { attendance, readRecord } from './epochs.ts';
import type { ShardClient } from './shard-client.ts';

/** How far a change is at one shard. Shape: `acks` = how many nearcaches are how far; `silent` = those that are connected and do not report. */
export interface ShardStatus {
  readonly shard: string;
  readonly record: RingRecord | undefined;
  readonly acks: Readonly<Record<string, number>>;
  readonly silent: number;
  readonly reports: readonly RingReport[];
}

/** Ask all shards. Errors: rejects when one does not answer. */
export function readStatus(clients: readonly ShardClient[]): Promise<ShardStatus[]> {
  return Promise.all(
    clients.map(async (client) => {
      const [record, { reports, silent }] = await Promise.all([readRecord(client), attendance(client)]);
      const acks: Record<string, number> = {};
      for (const { ack } of reports) acks[ack] = (acks[ack] ?? 0) + 1;
      return { shard: client.name, record, acks, silent: silent.size, reports };
    }),
  );
}
