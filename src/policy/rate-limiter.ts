import type { Policy } from './policy.ts';
import type { PolicyTable } from './policy-table.ts';

/** How many commands a second may go to the keys of each policy: a bucket of tokens a policy, filled at its `rateLimit`,
 *  that holds one second's worth and takes debts.
 *  Bounds: in any time of T seconds at most rateLimit × (T + 1) commands, and what is charged unasked.
 *  Cost: the look-up of the key's policy and a few numbers; nothing is allocated. */
export class RateLimiter {
  readonly #policies: PolicyTable;
  /** By the policy's number; below 0 = owed. */
  readonly #tokens: Float64Array;
  /** When they were counted. Units: monotonic ms. */
  readonly #countedAt: Float64Array;

  readonly #refused: Record<string, number>;

  /** `refused` is counted up, by the names of the policies that have a limit. */
  constructor(policies: PolicyTable, refused: Record<string, number> = {}) {
    this.#policies = policies;
    this.#refused = refused;
    for (const { name, rateLimit } of policies.all) if (rateLimit > 0) refused[name] = 0;
    this.#tokens = Float64Array.from(policies.all, ({ rateLimit }) => rateLimit);
    this.#countedAt = new Float64Array(policies.all.length);
  }

  /** The policy whose limit holds for the key bytes[start, end); undefined = none. */
  policyOf(bytes: Buffer, start: number, end: number): Policy | undefined {
    const policy = this.#policies.of(bytes, start, end);
    return policy.rateLimit === 0 ? undefined : policy;
  }

  /** May a command go now? */
  isOpen({ number, rateLimit }: Policy, now: number): boolean {
    const passedMs = now - (this.#countedAt[number] as number);
    if (passedMs > 0) {
      const filled = (this.#tokens[number] as number) + (passedMs * rateLimit) / 1000;
      this.#tokens[number] = Math.min(rateLimit, filled);
      this.#countedAt[number] = now;
    }
    return (this.#tokens[number] as number) >= 1;
  }

  /** One has gone. */
  charge({ number }: Policy): void {
    (this.#tokens[number] as number)--;
  }

  /** One was refused. */
  refuse({ name }: Policy): void {
    (this.#refused[name] as number)++;
  }
}

/** Undefined = no policy has a limit. */
export function rateLimiterOf(
  policies: PolicyTable,
  refused: Record<string, number>,
): RateLimiter | undefined {
  return policies.all.some(({ rateLimit }) => rateLimit > 0) ? new RateLimiter(policies, refused) : undefined;
}
