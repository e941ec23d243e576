/** The process of the load of `paused-shard`. Asked `warm` it connects and fills the near-cache, asked `run` it sends all and tells
 *  what became of it. */
import { answer, workerInput } from '../worker.ts';
import { PauseLoad } from './pause-load.ts';
import type { PausePlan } from './pause-plan.ts';

const load = new PauseLoad(workerInput() as PausePlan);

answer({
  warm: async () => {
    await load.warm();
    return true;
  },
  run: () => load.run(),
});
