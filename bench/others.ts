import { availableParallelism } from 'node:os';

import { cpuSeconds, endedChildrenCpuSeconds, machineBusySeconds } from './process-usage.ts';

/** Above this share of the machine programs outside of the benchmark may have decided a round. */
export const quietShare = 0.05;

/** Watches what programs outside of this benchmark use of the machine's CPU.
 *  Shape: `pids` are the benchmark's other processes; this one and its children that have ended count as well. The returned
 *  function tells the share since the start, 0 to 1. */
export function watchOthers(pids: readonly number[]): () => number {
  const others = (): number => {
    const own = new Set([...pids, process.pid]);
    const ours = [...own].reduce((sum, pid) => sum + cpuSeconds(pid), endedChildrenCpuSeconds());
    return machineBusySeconds() - ours;
  };
  const [start, startMs] = [others(), performance.now()];
  return () => {
    const seconds = (performance.now() - startMs) / 1000;
    return Math.max(0, others() - start) / (seconds * availableParallelism());
  };
}

/** The rounds that other programs disturbed least. */
export function quietest<T extends { readonly othersShare: number }>(
  rounds: readonly T[],
  count: number,
): T[] {
  return rounds.toSorted((a, b) => a.othersShare - b.othersShare).slice(0, count);
}
