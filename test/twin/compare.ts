import type { Argument } from '../support/raw-client.ts';
import { masked } from './differences.ts';
import { shown, type Exchange } from './run.ts';

/** A reply as it is compared. */
export type Mask = (args: readonly Argument[], frame: Buffer) => Buffer;

/** What a target answered otherwise than Redis did, one text a difference; empty when nothing.
 *  Errors: throws when Redis itself did not answer, which is a mistake in the case. */
export function differencesBetween(
  redis: readonly Exchange[],
  target: readonly Exchange[],
  mask: Mask = masked,
): string[] {
  const stopped = redis.find(({ label }) => label === 'stopped');
  if (stopped !== undefined) throw new Error(`Redis itself: ${stopped.frame.toString()}`);
  const found: string[] = [];
  for (let i = 0; i < Math.max(redis.length, target.length); i++) {
    const [expected, got] = [redis[i], target[i]];
    if (expected !== undefined && got !== undefined && same(expected, got, mask)) continue;
    const before = redis[i - 1]?.label;
    found.push(
      `${expected?.label ?? got?.label} (after ${before})\n    expected ${text(expected, mask)}\n    got      ${text(got, mask)}`,
    );
    // Behind a reply too many or too few, every further line would differ.
    if (got === undefined || got.label === 'stopped') break;
  }
  return found;
}

function same(expected: Exchange, got: Exchange, mask: Mask): boolean {
  if (got.label === 'stopped') return false;
  return (
    expected.frame.equals(got.frame) || mask(expected.args, expected.frame).equals(mask(got.args, got.frame))
  );
}

function text(exchange: Exchange | undefined, mask: Mask): string {
  if (exchange === undefined) return 'nothing';
  return exchange.label === 'stopped'
    ? exchange.frame.toString()
    : shown(mask(exchange.args, exchange.frame));
}
