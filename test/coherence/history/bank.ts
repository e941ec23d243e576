import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import { Failure } from './client.ts';
import { ACCOUNTS, OPENING_BALANCE } from './keyspace.ts';
import type { Route } from './routes.ts';
import { operationOf, pauseMs, type Stage } from './stage.ts';

/** Gives every account its opening balance. */
export const OPENING: string[] = [
  'MSET',
  ...ACCOUNTS.flatMap((account) => [account, String(OPENING_BALANCE)]),
];

export async function openBank(stage: Stage): Promise<void> {
  await stage.world.command(...OPENING);
}

/** Moves money by optimistic locking: WATCH, GET, GET, MULTI, SET, SET, EXEC. No transfer changes the total, if every EXEC was
 *  decided on values at least as new as its WATCH (I7). */
export async function runTeller(
  stage: Stage,
  random: Random,
  route: Route,
  meanPauseMs: number,
): Promise<void> {
  while (!stage.isOver) {
    await transfer(stage, random, route);
    await delay(pauseMs(random, meanPauseMs));
  }
  route.close();
}

async function transfer(stage: Stage, random: Random, route: Route): Promise<void> {
  const client = await route.client();
  if (client === undefined) return;
  const from = random.pick(ACCOUNTS);
  const to = random.pick(ACCOUNTS.filter((account) => account !== from));
  const read = await Promise.all([
    ...client.send([['WATCH', from, to]]),
    ...client.send([['GET', from]]),
    ...client.send([['GET', to]]),
  ]);
  const failure = read.find(({ reply }) => reply instanceof Failure);
  if (failure !== undefined) {
    stage.failed(failure, operationOf(failure, route.via, 'WATCH GET GET'));
    // Whatever was watched before it failed must not be kept.
    client.close();
    return;
  }
  const [, fromBalance, toBalance] = read.map(({ reply }) => Number(reply)) as [number, number, number];
  const amount = random.int(1, 10);
  const requests = [
    ['MULTI'],
    ['SET', from, String(fromBalance - amount)],
    ['SET', to, String(toBalance + amount)],
    ['EXEC'],
  ];
  // Half of the time in pieces, whose first is answered before the others are sent.
  const first = random.chance(0.5) ? await Promise.all(client.send(requests.splice(0, 1))) : [];
  if (first[0]?.reply instanceof Failure) requests.length = 0;
  const outcomes = [...first, ...(await Promise.all(client.send(requests)))];
  const wrong = outcomes.find(({ reply }) => reply instanceof Failure);
  if (wrong === undefined) return;
  stage.failed(wrong, operationOf(wrong, route.via, 'MULTI SET SET EXEC'));
  client.close();
}
