import type { Random } from './random.ts';
import type { Throttle } from './throttle.ts';

/** What a round needs to know. */
export interface FuzzTarget {
  /** nearcache's port. */
  readonly port: number;
  /** The port of the Redis behind it, which says what is right. */
  readonly redisPort: number;
  readonly throttle: Throttle;
}

/** A way to be a bad client. */
export interface Strategy {
  readonly name: string;
  /** How many of its rounds run at a time. */
  readonly workers: number;
  /** One connection (or a few), from connect to close.
   *  Shape: resolves with how it ended, a short phrase that is counted.
   *  Errors: a Violation when nearcache did what it must not. */
  round(target: FuzzTarget, random: Random): Promise<string>;
}

/** nearcache did what it must not. */
export class Violation extends Error {
  /** `sent` shows what it took to get there. */
  constructor(text: string, sent?: Buffer) {
    super(sent === undefined ? text : `${text}; sent ${sent.length} bytes: ${excerpt(sent)}`);
  }
}

const EXCERPT_BYTES = 400;

/** The beginning of some bytes, as a string literal. */
export function excerpt(bytes: Buffer): string {
  const shown = JSON.stringify(bytes.toString('latin1', 0, EXCERPT_BYTES));
  return bytes.length > EXCERPT_BYTES ? `${shown}…` : shown;
}
