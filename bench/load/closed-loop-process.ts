/** The mixed load's own process, so that its CPU can be told from that of the benchmark. Input: the plan. */
import { answer, workerInput } from '../worker.ts';
import { type ClosedLoopPlan, runClosedLoop } from './closed-loop.ts';

const plan = workerInput() as ClosedLoopPlan;
answer({
  run: () => runClosedLoop(plan).catch((error: unknown) => ({ failed: (error as Error).message })),
});
