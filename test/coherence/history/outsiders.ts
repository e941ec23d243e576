import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import { countingWrites } from './app-writes.ts';
import { StepMix } from './request.ts';
import { Route } from './routes.ts';
import { pauseMs, type Stage } from './stage.ts';

/** Another program, which writes counters directly in Redis. */
export async function runOutsider(
  stage: Stage,
  random: Random,
  db: number,
  meanPauseMs: number,
): Promise<void> {
  const mix = new StepMix(countingWrites('outside'), stage.keyspace);
  const route = new Route(stage, 'outside', { proto: random.pick([2, 3]), db });
  while (!stage.isOver) {
    const client = await route.client();
    if (client !== undefined) {
      const { requests, done } = mix.make(stage, random, db);
      done(await Promise.all(client.send(requests)));
    }
    await delay(pauseMs(random, meanPauseMs));
  }
  route.close();
}
