/** Requests of the mixed load: a value carries its key, so that an answer for another key cannot pass for right. */
import { encode } from './request.ts';

/** What is sent for one key, and the one right answer to its GET. */
export interface KeyedRequests {
  readonly get: Buffer;
  readonly set: Buffer;
  readonly got: Buffer;
}

/** The only right answer to a SET. */
export const written: Buffer = Buffer.from('+OK\r\n', 'latin1');

/** The value of a key, always the same.
 *  Units: bytes. Bounds: exactly `size`; the key is cut where it does not fit. */
export function keyedValue(key: string, size: number): string {
  return `${key}:`.padEnd(size, 'x').slice(0, size);
}

/** The requests for one key, ready to be sent. */
export function keyedRequests(key: string, size: number): KeyedRequests {
  const value = keyedValue(key, size);
  return {
    get: encode(['GET', key]),
    set: encode(['SET', key, value]),
    got: Buffer.from(`$${size}\r\n${value}\r\n`, 'latin1'),
  };
}
