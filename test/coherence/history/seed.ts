import { setTimeout as delay } from 'node:timers/promises';

import { OPENING, openBank } from './bank.ts';
import { Client } from './client.ts';
import type { FixedDirectory } from './directory.ts';
import type { Write } from './history.ts';
import { ACCOUNTS, EPOCH, type Register } from './keyspace.ts';
import { OutsideClient } from './outside-client.ts';
import { operationOf, type Stage } from './stage.ts';
import type { RingBackend } from './ring-backend.ts';

type IsMine = (key: string) => boolean;

/** Counters begin, the bank opens. Versions of an epoch are above those of all before it. */
export async function seed(stage: Stage, isMine: IsMine = () => true): Promise<void> {
  const { keyspace, world } = stage;
  for (const db of keyspace.databases) {
    const login = { proto: 2, db } as const;
    const client = new OutsideClient(world.backend.directory, (port) => Client.connect(port, login));
    const registers = countersOf(stage, isMine).filter((register) => register.db === db);
    await Promise.all(
      registers.map(async (register) => {
        const outcome = await client.call(...openingOf(stage, register));
        begin(stage, register, operationOf(outcome, 'outside', 'seed'));
      }),
    );
    client.close();
  }
  if (keyspace.hasBank && isMine(ACCOUNTS[0] as string)) await openBank(stage);
}

function countersOf({ keyspace }: Stage, isMine: IsMine): Register[] {
  const fields = keyspace.hashes.flatMap((hash) => hash.fields);
  return [...keyspace.counters, ...fields].filter(({ key }) => isMine(key));
}

function openingOf({ epoch }: Stage, { key, field }: Register): string[] {
  const value = String(epoch * EPOCH);
  return field === undefined ? ['SET', key, value] : ['HSET', key, field, value];
}

function begin({ epoch }: Stage, { history }: Register, operation: ReturnType<typeof operationOf>): void {
  history.writes.push({ ...operation, version: epoch * EPOCH, token: String(epoch * EPOCH) });
}

/** One server of a ring dies with all its data; it comes back after `downMs`. Who owns slots goes on under new keys, counters
 *  begin again above every version there was. */
export async function loseEverything(stage: Stage, at: number, downMs: number): Promise<void> {
  const { servers, relays, directory } = stage.world.backend as RingBackend;
  const [server, relay] = [servers[at], relays[at]];
  if (server === undefined || relay === undefined) throw new Error(`there is no server ${at}`);
  const isMine = holder(directory, at);
  const diesAt = performance.now();
  await stage.world.behindClosedDoors(async () => {
    relay.isClosed = true;
    await server.kill('SIGKILL');
    await delay(downMs);
    await server.restart();
    forgetSlots(stage, diesAt, isMine);
    stage.epoch++;
    await seed(stage, isMine);
    relay.isClosed = false;
  });
}

/** Which keys are on a server of a ring. */
export function holder(directory: FixedDirectory, at: number): IsMine {
  return (key) => directory.indexOf(key) === at;
}

/** Reads that are on their way may find the old keys gone. */
export function forgetSlots({ keyspace }: Stage, start: number, isMine: IsMine): void {
  for (const slot of keyspace.slots) {
    if (slot.registers.some(({ key }) => isMine(key))) keyspace.retire(slot);
  }
  for (const { key, history, lastVersion } of keyspace.retired) {
    if (isMine(key)) history.writes.push(loss(start, lastVersion + 1));
  }
}

/** Nobody has said when it was gone. */
function loss(start: number, version: number): Write {
  const nobody = { connection: 0, order: 0, via: 'outside', command: 'loss' } as const;
  return { ...nobody, start, end: Infinity, version, token: null };
}

/** FLUSHALL on one server of a ring, and new beginnings in the same moment: in between no counter may be counted from nothing. */
export async function flushOne(stage: Stage, at: number): Promise<void> {
  const { servers, directory } = stage.world.backend as RingBackend;
  const isMine = holder(directory, at);
  const client = await Client.connect(servers[at]?.port as number, { proto: 2, db: 0 });
  stage.epoch++;
  const registers = countersOf(stage, isMine);
  const requests = [['MULTI'], ['FLUSHALL']];
  for (const db of stage.keyspace.databases) {
    requests.push(['SELECT', String(db)]);
    const mine = registers.filter((register) => register.db === db);
    requests.push(...mine.map((register) => openingOf(stage, register)));
    if (db === 0 && stage.keyspace.hasBank && isMine(ACCOUNTS[0] as string)) requests.push(OPENING);
  }
  const start = performance.now();
  // A write of a slot that is under way may be done before it or after it.
  for (const slot of stage.keyspace.slots) {
    if (!slot.registers.some(({ key }) => isMine(key))) continue;
    for (const { history, lastVersion } of slot.registers)
      history.writes.push(loss(start, lastVersion - 0.4), loss(start, lastVersion + 0.6));
  }
  const outcomes = await Promise.all(client.send([...requests, ['EXEC']]));
  const outcome = outcomes.at(-1) as (typeof outcomes)[number];
  client.close();
  for (const register of registers) begin(stage, register, operationOf(outcome, 'outside', 'FLUSHALL'));
  forgetSlots(stage, start, isMine);
}
