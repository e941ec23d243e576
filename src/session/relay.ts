import { RESET } from '../protocol/encoder.ts';
import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import type { PinnedConnection } from '../shard/pinned-connection.ts';

const RESET_REPLY = RESET.latin1Slice();

/** A pinned connection on which replies and a stream cannot be told apart (MONITOR, SUBSCRIBE inside MULTI): every request goes
 *  there and every frame comes from there as it is, until the reply to RESET has come or, after QUIT, the end. Those two are
 *  Redis's to answer as well, since only so their reply is behind all others. */
export class Relay {
  #leaving: 'reset' | 'quit' | undefined;
  /** A CLIENT REPLY SKIP that goes with the next request, unless that is RESET, whose reply must be seen. */
  #skip: Buffer | undefined;
  /** The first bytes of the frame that is coming. */
  #beginning = '';

  /** Nothing may go behind a RESET or QUIT that is not answered. */
  get isLeaving(): boolean {
    return this.#leaving !== undefined;
  }

  get isQuitting(): boolean {
    return this.#leaving === 'quit';
  }

  /** False when it has to wait. */
  send(pinned: PinnedConnection, request: Request, spec: CommandSpec | undefined): boolean {
    if (this.isLeaving) return false;
    // SYNC is ignored by Redis when a monitor says it, and would make a replication link of any other connection. Nothing of
    // our own may be said between the frames.
    if (spec?.place === 'refused') return true;
    if (isSkip(request, spec)) {
      this.#skip = Buffer.from(request.buffer.subarray(request.start, request.end));
      return true;
    }
    if (spec?.name === 'quit') this.#leaving = 'quit';
    if (spec?.name === 'reset' && request.argc === 1) this.#leaving = 'reset';
    const { connection } = pinned;
    if (this.#skip !== undefined && this.#leaving !== 'reset')
      connection.write(this.#skip, 0, this.#skip.length);
    this.#skip = undefined;
    connection.write(request.buffer, request.start, request.end);
    return true;
  }

  /** A part of a frame was passed on. True when that was the end of the reply to RESET. */
  endsWith(chunk: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#leaving !== 'reset') return false;
    const missing = RESET_REPLY.length + 1 - this.#beginning.length;
    this.#beginning += chunk.latin1Slice(start, Math.min(end, start + missing));
    if (!last) return false;
    const isReset = this.#beginning === RESET_REPLY;
    this.#beginning = '';
    return isReset;
  }
}

function isSkip(request: Request, spec: CommandSpec | undefined): boolean {
  return spec?.name === 'client|reply' && request.argc === 3 && /^skip$/i.test(request.argLatin1(2));
}
