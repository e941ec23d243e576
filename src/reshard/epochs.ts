import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { type Attendance, readAttendance, type RingAck, seenOf } from '../route/ring-report.ts';
import {
  type MoveMethod,
  nextRecord,
  parseRecord,
  printRecord,
  RING_KEY,
  type RingRecord,
} from '../route/ring-record.ts';
import { STEP_SCRIPT } from '../route/ring-scripts.ts';
import type { KeyMap } from './key-map.ts';
import { clientsToKick } from './kick.ts';
import type { ShardClient } from './shard-client.ts';

export interface EpochOptions {
  readonly clock: Clock;
  /** How long apps may wait for the nearcaches to agree, each time. */
  readonly holdMs: number;
  /** Close the connections of nearcaches that do not answer. */
  readonly kick: boolean;
  /** Told what is waited for, in words. */
  readonly onWait: (text: string) => void;
  readonly signal: AbortSignal;
}

const POLL_MS = 20;
const READY_POLL_MS = 200;
/** Who does not know both rings after so many holds is closed, if that is allowed: it may be frozen. */
const READY_HOLDS = 5;
/** Between two holds, so that apps get their share. */
const PAUSE_MS = 1000;
const ID_DIGITS = 12;

/** The steps of a change as its shards record them; every step is made once, whoever tries (docs/decisions/0008-resharding.md). */
export class Epochs {
  readonly #clients: readonly ShardClient[];
  readonly #map: KeyMap;
  readonly #options: EpochOptions;

  constructor(clients: readonly ShardClient[], map: KeyMap, options: EpochOptions) {
    this.#clients = clients;
    this.#map = map;
    this.#options = options;
  }

  /** The record of each shard; undefined = it has none. Errors: rejects when a record cannot be read. */
  async records(): Promise<(RingRecord | undefined)[]> {
    return Promise.all(this.#clients.map((client) => readRecord(client)));
  }

  /** Is each of them of this change, or where a change may begin? Answers the id of a change that has begun.
   *  Errors: throws with what is in the way. */
  begun(records: readonly (RingRecord | undefined)[]): RingRecord | undefined {
    const { from, to } = this.#map;
    let begun: RingRecord | undefined;
    records.forEach((record, shard) => {
      if (record === undefined || (record.state === 'done' && record.to === from)) return;
      if (record.from === from && record.to === to) {
        if (begun === undefined || record.seq > begun.seq) begun = record;
        return;
      }
      const { name } = this.#clients[shard] as ShardClient;
      throw new Error(
        record.state === 'done'
          ? `shard ${name} is of ring ${record.to} since an earlier change, not of ${from} as in --from`
          : `shard ${name} is in the change of ring ${record.from} to ${record.to}, which is to be ended first`,
      );
    });
    return begun;
  }

  /** Announce the change on every shard that does not know of it yet. */
  async begin(id: string, method: MoveMethod): Promise<void> {
    const { from, to } = this.#map;
    await Promise.all(
      this.#clients.map(async (client) => {
        const record = await readRecord(client);
        if (record?.from === from && record.to === to) return;
        const first: RingRecord = { id, seq: 1, state: 'prepared', from, to, method };
        await this.#step(client, record, first);
      }),
    );
  }

  /** Resolves when every nearcache that is connected knows both rings. */
  async allReady(): Promise<void> {
    await Promise.all(
      this.#clients.map(async (client) => {
        const { clock, holdMs, kick, onWait, signal } = this.#options;
        let kickAt = clock.now() + READY_HOLDS * holdMs;
        for (;;) {
          const record = await readRecord(client);
          if (record?.state !== 'prepared') return;
          const late = laggards(await attendance(client), record, ['ready']);
          if (late.length === 0) return;
          onWait(`shard ${client.name}: waiting for ${late.join(', ')}`);
          if (kick && clock.now() > kickAt) {
            await kickOut(client, record, 'ready');
            kickAt = clock.now() + READY_HOLDS * holdMs;
          }
          await delay(READY_POLL_MS, undefined, { signal });
        }
      }),
    );
  }

  /** Have the keys that leave this shard moved before use, from now on. Apps wait meanwhile, up to `holdMs` each try. */
  async switchShard(shard: number): Promise<void> {
    const client = this.#clients[shard] as ShardClient;
    for (;;) {
      let record = await this.#current(client);
      if (record.state === 'migrating' || record.state === 'done') return;
      // It has no key to lose.
      const isNew = shard >= this.#map.oldCount;
      if (record.state === 'prepared' && !isNew)
        record = await this.#step(client, record, nextRecord(record, 'hold'));
      if (isNew || (await this.#allHeld(client, record))) {
        await this.#step(client, record, nextRecord(record, 'migrating'));
        return;
      }
      // A nearcache may have given the hold up before us.
      await this.#step(client, record, nextRecord(record, 'prepared')).catch(() => undefined);
      await delay(PAUSE_MS, undefined, { signal: this.#options.signal });
    }
  }

  /** No key that leaves is left on any shard. */
  async finish(): Promise<void> {
    for (const client of this.#clients) {
      const record = await this.#current(client);
      if (record.state !== 'done') await this.#step(client, record, nextRecord(record, 'done'));
    }
  }

  async #allHeld(client: ShardClient, record: RingRecord): Promise<boolean> {
    const { clock, holdMs, kick, onWait } = this.#options;
    const end = clock.now() + holdMs;
    for (;;) {
      const present = await attendance(client);
      const late = laggards(present, record, ['held']);
      if (late.length === 0) return true;
      if (clock.now() > end) {
        onWait(`shard ${client.name}: no answer within ${holdMs} ms from ${late.join(', ')}`);
        if (!kick) return false;
        await kickOut(client, record, 'held');
        return laggards(await attendance(client), record, ['held']).length === 0;
      }
      await delay(POLL_MS);
    }
  }

  async #current(client: ShardClient): Promise<RingRecord> {
    const record = await readRecord(client);
    if (record?.from === this.#map.from && record.to === this.#map.to) return record;
    throw new Error(`shard ${client.name} has lost its record of the ring, or another change has begun`);
  }

  /** Errors: throws when the record is not `before` any more. */
  async #step(client: ShardClient, before: RingRecord | undefined, after: RingRecord): Promise<RingRecord> {
    const [old, line] = [before === undefined ? '' : printRecord(before), printRecord(after)];
    const answer = String(await client.redis.call('EVAL', STEP_SCRIPT, '1', RING_KEY, old, line));
    if (answer !== line)
      throw new Error(`shard ${client.name}: somebody else has changed its record to "${answer}"`);
    await client.settle();
    return after;
  }
}

/** A name for a change. */
export function changeId(random: () => number): string {
  return Array.from({ length: ID_DIGITS }, () => Math.floor(random() * 36).toString(36)).join('');
}

export async function attendance(client: ShardClient): Promise<Attendance> {
  return readAttendance(String(await client.redis.call('CLIENT', 'LIST')));
}

/** Errors: throws when there is something that is no record. */
export async function readRecord(client: ShardClient): Promise<RingRecord | undefined> {
  const line = await client.redis.get(RING_KEY);
  if (line === null) return undefined;
  const record = parseRecord(line);
  if (record === undefined)
    throw new Error(`shard ${client.name}: ${RING_KEY} is not a record of the ring: "${line}"`);
  return record;
}

/** Who is connected and has not come so far, in words. */
function laggards({ reports, silent }: Attendance, record: RingRecord, wanted: readonly RingAck[]): string[] {
  const seen = seenOf(record);
  const late = reports.filter((report) => report.seen !== seen || !wanted.includes(report.ack));
  return [
    ...late.map((report) => `${report.instance} (${wordsOf(report.ack, report.from, report.to, record)})`),
    ...[...silent].map((instance) => `${instance} (does not report)`),
  ];
}

function wordsOf(ack: RingAck, from: string, to: string, record: RingRecord): string {
  if (from === record.from && to === record.to) return ack;
  return from === record.from ? 'has only the old ring' : `has ring ${from}`;
}

async function kickOut(client: ShardClient, record: RingRecord, wanted: RingAck): Promise<void> {
  const list = String(await client.redis.call('CLIENT', 'LIST'));
  const own = Number(await client.redis.call('CLIENT', 'ID'));
  for (const id of clientsToKick(list, seenOf(record), wanted, own))
    await client.redis.call('CLIENT', 'KILL', 'ID', id);
}
