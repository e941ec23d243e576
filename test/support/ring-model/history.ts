import type { Reply } from '../../../src/protocol/reply-parser.ts';

/** One command on one key, and when it began and ended. */
export interface Operation {
  readonly args: readonly string[];
  readonly began: number;
  /** Infinity = it was never answered, so it may have happened at any time since, or not at all. */
  ended: number;
  reply: Reply;
}

/** Is there an order of the operations, one that keeps what really came before what, in which one Redis would have answered the same?
 *  Cost: exponential; for a handful of operations on one key. */
export function isLinearizable(initial: string | undefined, operations: readonly Operation[]): boolean {
  if (operations.every(({ ended }) => ended === Infinity)) return true;
  const firstEnd = Math.min(...operations.map(({ ended }) => ended));
  return operations.some((operation) => {
    if (operation.began > firstEnd) return false;
    const rest = operations.filter((each) => each !== operation);
    const [reply, value] = apply(initial, operation.args);
    if (operation.ended === Infinity) return isLinearizable(value, rest) || isLinearizable(initial, rest);
    return reply === operation.reply && isLinearizable(value, rest);
  });
}

function apply(
  value: string | undefined,
  [command, , argument]: readonly string[],
): [Reply, string | undefined] {
  switch (command) {
    case 'GET':
      return [value, value];
    case 'SET':
      return ['OK', argument];
    case 'SETNX':
      return value === undefined ? [1, argument] : [0, value];
    case 'INCR':
      return [Number(value ?? 0) + 1, String(Number(value ?? 0) + 1)];
    case 'DEL':
      return [value === undefined ? 0 : 1, undefined];
    default:
      throw new Error(`the model has no ${command}`);
  }
}
