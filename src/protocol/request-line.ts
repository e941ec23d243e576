import type { RequestLimits } from './limits.ts';
import { latin1 } from '../base/latin1.ts';
import { DOLLAR, MINUS, ZERO } from './bytes.ts';
import { UNAUTHENTICATED_ARGS_MAX, UNAUTHENTICATED_BULK_BYTES } from './limits.ts';

/** What a request's count and length lines may say: Redis's rules and Redis's words. */

const INT64_MAX = 9_223_372_036_854_775_807n;

/** An integer as Redis reads one: no sign but `-`, no leading zero, no `-0`, within 64 bits; else NaN.
 *  Bounds: exact up to 2^53, beyond that only its size is right. Source: Redis 7.0.15, `string2ll` in util.c. */
export function parseInteger(buffer: Buffer, from: number, to: number): number {
  const negative = buffer[from] === MINUS;
  const first = negative ? from + 1 : from;
  const digits = to - first;
  if (digits < 1 || digits > 19) return NaN;
  if (buffer[first] === ZERO) return digits === 1 && !negative ? 0 : NaN;
  let value = 0;
  for (let at = first; at < to; at += 1) {
    const digit = (buffer[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  if (digits === 19 && exceedsInt64(latin1(buffer, first, to), negative)) return NaN;
  return negative ? -value : value;
}

function exceedsInt64(digits: string, negative: boolean): boolean {
  return BigInt(digits) > (negative ? INT64_MAX + 1n : INT64_MAX);
}

/** What is wrong with a number of arguments; undefined when Redis would accept it. */
export function countError(count: number, limits: RequestLimits, authenticated: boolean): string | undefined {
  if (Number.isNaN(count) || count > limits.argsMax) return 'invalid multibulk length';
  if (!authenticated && count > UNAUTHENTICATED_ARGS_MAX) return 'unauthenticated multibulk length';
  return undefined;
}

/** What is wrong with a whole length line that begins with the byte `sign`; undefined when Redis would accept it. */
export function lengthError(
  sign: number,
  length: number,
  limits: RequestLimits,
  authenticated: boolean,
): string | undefined {
  if (sign !== DOLLAR) return `expected '$', got '${String.fromCharCode(sign)}'`;
  if (Number.isNaN(length) || length < 0 || length > limits.bulkBytes) return 'invalid bulk length';
  if (!authenticated && length > UNAUTHENTICATED_BULK_BYTES) return 'unauthenticated bulk length';
  return undefined;
}
