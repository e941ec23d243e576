import { DOLLAR, MINUS } from '../../src/protocol/bytes.ts';
import type { Outcome } from './pause-plan.ts';

const NOTHING = Buffer.alloc(0);

/** Cuts a connection's stream into replies to GET and SET. */
export class AnswerReader {
  #rest: Buffer = NOTHING;

  /** Calls `answered` for each reply that is whole. */
  feed(chunk: Buffer, answered: (reply: Buffer) => void): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let end = replyEnd(data, at); end > 0; end = replyEnd(data, at)) {
      answered(data.subarray(at, end));
      at = end;
    }
    this.#rest = at === data.length ? NOTHING : Buffer.from(data.subarray(at));
  }
}

/** Behind the reply that begins at `start`; 0 = it is not all here. Shape: a line, or a bulk string. */
export function replyEnd(data: Buffer, start: number): number {
  const line = data.indexOf('\r\n', start);
  if (line < 0) return 0;
  if (data[start] !== DOLLAR || data[start + 1] === MINUS) return line + 2;
  const end = line + 2 + Number(data.toString('latin1', start + 1, line)) + 2;
  return end <= data.length ? end : 0;
}

/** What a reply says of the request that should have been answered with `expected`. */
export function outcomeOf(reply: Buffer, expected: Buffer): Exclude<Outcome, 'none'> {
  if (reply.equals(expected)) return 'right';
  if (reply[0] !== MINUS) return 'wrong';
  return reply.includes('was not sent') ? 'refused' : 'failed';
}

/** An error without what differs from one to the next of its kind. */
export function errorKind(reply: Buffer): string {
  return reply.toString('latin1', 1, reply.length - 2).replace(/\d+/g, '…');
}
