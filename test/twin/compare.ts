import { masked } from './differences.ts';
import { shown, type Exchange } from './run.ts';

/** What a target answered otherwise than Redis did, one text a difference; empty when nothing.
 *  Errors: throws when Redis itself did not answer, which is a mistake in the case. */
export function differencesBetween(redis: readonly Exchange[], target: readonly Exchange[]): string[] {
  const stopped = redis.find(({ label }) => label === 'stopped');
  if (stopped !== undefined) throw new Error(`Redis itself: ${stopped.frame.toString()}`);
  const found: string[] = [];
  for (let i = 0; i < Math.max(redis.length, target.length); i++) {
    const [expected, got] = [redis[i], target[i]];
    if (expected !== undefined && got !== undefined && same(expected, got)) continue;
    const before = redis[i - 1]?.label;
    found.push(
      `${expected?.label ?? got?.label} (after ${before})\n    expected ${text(expected)}\n    got      ${text(got)}`,
    );
    // Behind a reply too many or too few, every further line would differ.
    if (got === undefined || got.label === 'stopped') break;
  }
  return found;
}

function same(expected: Exchange, got: Exchange): boolean {
  if (got.label === 'stopped') return false;
  return (
    expected.frame.equals(got.frame) ||
    masked(expected.args, expected.frame).equals(masked(got.args, got.frame))
  );
}

function text(exchange: Exchange | undefined): string {
  if (exchange === undefined) return 'nothing';
  return exchange.label === 'stopped'
    ? exchange.frame.toString()
    : shown(masked(exchange.args, exchange.frame));
}
