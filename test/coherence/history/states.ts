import type { Failover, RegisterHistory, Via, Write } from './history.ts';

/** One state that a register was in, in the order in which Redis made them.
 *  Shape: `end` = acknowledged, Infinity = never; `expiresAt` = nobody may be shown it from then on; `cause` tells an expiry, an
 *  eviction and a guess (a version that only a read told of) from a write. */
export interface State {
  readonly version: number;
  readonly token: string | null;
  readonly start: number;
  readonly end: number;
  readonly expiresAt?: number | undefined;
  readonly undoneBy?: Failover | undefined;
  readonly cause: Via | 'expiry' | 'eviction' | 'guess';
}

/** PX has a resolution of 1 ms, Redis lets a key live for the whole of its last one, and both clocks are read in passing. */
export const EXPIRY_SLACK_MS = 3;

/** All states of a register by version: those that were written, those in which an expiry or eviction may have left it, and for a
 *  counter those whose writer never had an answer. */
export function statesOf(register: RegisterHistory): State[] {
  const writes = register.writes.toSorted((a, b) => a.version - b.version);
  const states: State[] = [{ version: 0, token: null, start: -Infinity, end: -Infinity, cause: 'outside' }];
  for (const [i, write] of writes.entries()) {
    const expiry = expiryOf(write);
    states.push({ ...write, cause: write.via, expiresAt: expiry?.end });
    if (register.mayVanish && write.token !== null) {
      states.push({
        version: write.version + 0.75,
        token: null,
        start: write.start,
        end: Infinity,
        cause: 'eviction',
      });
    }
    const next = writes[i + 1];
    if (expiry !== undefined && !(next !== undefined && next.end < expiry.start)) states.push(expiry);
  }
  if (register.isCounter) states.push(...guesses(register, new Set(states.map(({ token }) => token))));
  return states.sort((a, b) => a.version - b.version);
}

function expiryOf({ version, start, end, livesMs }: Write): State | undefined {
  if (livesMs === undefined) return undefined;
  return {
    version: version + 0.5,
    token: null,
    start: start + livesMs - EXPIRY_SLACK_MS,
    end: end + livesMs + EXPIRY_SLACK_MS,
    cause: 'expiry',
  };
}

/** Versions that were read and that no writer has reported: at most as many as there are writers without an answer. */
function guesses({ reads, unknown }: RegisterHistory, known: ReadonlySet<string | null>): State[] {
  const starts = unknown.toSorted((a, b) => a - b);
  const guessed = new Set<string>();
  for (const { token } of reads) {
    if (typeof token === 'string' && !known.has(token)) guessed.add(token);
  }
  return [...guessed]
    .filter((token) => /^\d+$/.test(token))
    .toSorted((a, b) => Number(a) - Number(b))
    .slice(0, starts.length)
    .map((token) => ({
      version: Number(token),
      token,
      start: starts[0] as number,
      end: Infinity,
      cause: 'guess' as const,
    }));
}
