import { MINUS, PLUS } from '../protocol/bytes.ts';
import { Call, type CallFailure, type FrameFacts } from '../shard/call.ts';
import type { Slot } from './slot.ts';

/** Of a PING without an argument, and what precedes the argument of one that has it. */
const PONG = Buffer.from('*2\r\n$4\r\npong\r\n$0\r\n\r\n', 'latin1');
const PONG_WITH = Buffer.from('*2\r\n$4\r\npong\r\n', 'latin1');

/** PING of a subscribed RESP2 session, asked in RESP3: as an array it cannot be taken for a reply to anything else.
 *  Source: Redis 7.0.15, server.c, pingCommand. */
export class PongCall extends Call {
  readonly #slot: Slot;
  #parts: Buffer[] = [];

  constructor(slot: Slot) {
    super();
    this.#slot = slot;
    this.timeoutMs = slot.timeoutMs;
  }

  reply(chunk: Buffer, start: number, end: number, last: boolean, facts: FrameFacts): void {
    this.hasBegun = true;
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    if (!last) return;
    const reply = inSubscribedMode(Buffer.concat(this.#parts));
    this.#slot.reply(reply, 0, reply.length, true, facts);
  }

  fail(failure: CallFailure): void {
    this.#slot.fail(failure);
    // As a connection does with its own calls: what still comes is discarded (DESIGN rule 9).
    if (failure.kind === 'timeout') this.#slot.hasTimedOut = true;
  }
}

function inSubscribedMode(reply: Buffer): Buffer {
  if (reply[0] === MINUS) return reply;
  return reply[0] === PLUS ? PONG : Buffer.concat([PONG_WITH, reply]);
}
