import type { Failover, RegisterHistory } from './history.ts';
import type { State } from './states.ts';

/** Which versions of a register a failover has undone: acknowledged by a primary that had not passed them on (Redis replicates
 *  later than it answers), or that was none any more. A version was lost when the new primary was read after it had been acknowledged,
 *  and showed an older one. What nobody acknowledged counts as lost, too, unless it was seen there.
 *  Shape: by version, the failover that undid it. */
export function lostVersions(register: RegisterHistory, states: readonly State[]): Map<number, Failover> {
  const lost = new Map<number, Failover>();
  for (const { version, undoneBy } of states) if (undoneBy !== undefined) lost.set(version, undoneBy);
  for (const { start, end, token, failover } of register.proofs) {
    const shown = states.findLast((state) => state.token === token && state.start <= end)?.version ?? 0;
    for (const state of states) {
      if (state.version <= shown) continue;
      const isOverdue = state.end < start || (state.end === Infinity && state.start < failover.knownAt);
      if (isOverdue && !lost.has(state.version)) lost.set(state.version, failover);
    }
  }
  for (const { token } of register.proofs) {
    const kept = states.filter((state) => state.token === token && state.end === Infinity);
    if (token !== null) for (const { version } of kept) lost.delete(version);
  }
  for (const { version, cause } of states) {
    const failover = lost.get(version - 0.5);
    if (cause === 'expiry' && failover !== undefined) lost.set(version, failover);
  }
  return lost;
}
