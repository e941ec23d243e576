import { setTimeout as delay } from 'node:timers/promises';

/** Asks `check` again and again until it answers something other than undefined, and resolves with that. A check that
 *  rejects has not answered yet.
 *  Errors: rejects after `timeoutMs` with `what` and the last check's error. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const answer = await check();
      if (answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause });
    await delay(20);
  }
}
