import { inspect } from 'node:util';

/** A given value for a message: on one line, and bounded, since YAML can make one that holds itself. */
export function quote(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : inspect(value, { breakLength: Infinity });
}
