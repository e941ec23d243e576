import type { History, Violation } from './history.ts';
import type { Stage } from './stage.ts';

/** The user whose permission comes and goes. Its password is `password`. */
export const ACL_USER = 'tenant';
/** How long entries may live in a run in which its permissions change. */
export const TENANT_MAX_TTL_MS = 1000;

/** When the user was given every key, and when all were taken away. Units: ms of the monotonic clock. */
export interface PermissionChange {
  readonly isGiven: boolean;
  readonly start: number;
  readonly end: number;
}

/** Gives the user every key. */
export async function loosen(stage: Stage): Promise<void> {
  await change(stage, true, ['on', '>password', '+@all', 'allkeys']);
}

/** Takes every key away. */
export async function tighten(stage: Stage): Promise<void> {
  await change(stage, false, ['resetkeys', '~nothing']);
}

async function change(stage: Stage, isGiven: boolean, rules: readonly string[]): Promise<void> {
  const start = performance.now();
  await stage.world.command('ACL', 'SETUSER', ACL_USER, ...rules);
  stage.permissions.push({ isGiven, start, end: performance.now() });
}

/** What the user has read although it must not: a permission that is taken away is honoured within the longest time an entry
 *  may live (I9). Shape: `connections` are the user's. */
export function judgePermissions(
  history: History,
  changes: readonly PermissionChange[],
  connections: ReadonlySet<number>,
  maxTtlMs: number,
): Violation[] {
  const denials = changes.flatMap((change, i) =>
    change.isGiven ? [] : [{ from: change.end + maxTtlMs, to: changes[i + 1]?.start ?? Infinity }],
  );
  return history.registers.flatMap(({ name, reads }) =>
    reads
      .filter(({ connection }) => connections.has(connection))
      .filter(({ start, end }) => denials.some(({ from, to }) => start > from && end < to))
      .map(({ command, connection }) => ({
        rule: 'I9',
        text: `${name}: ${command} on connection ${connection} was answered without a permission`,
        excerpt: [],
      })),
  );
}
