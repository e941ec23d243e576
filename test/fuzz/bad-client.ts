import { setTimeout as delay } from 'node:timers/promises';

import { FrameReader } from '../support/frame-reader.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import type { Random } from './random.ts';
import { Violation } from './strategy.ts';

/** How long nearcache may take to end a session whose client has closed its side. */
const CLOSE_MS = 20_000;

/** What a connection got, once it was over. */
export interface Ending {
  readonly bytes: Buffer;
  /** The other side closed in order, and not with a reset. */
  readonly isClean: boolean;
}

/** A connection that sends anything and reads everything. */
export class BadClient {
  readonly raw: RawClient;
  #wasReset = false;

  private constructor(raw: RawClient) {
    this.raw = raw;
    raw.socket.on('error', () => {
      this.#wasReset = true;
    });
  }

  static async connect(port: number): Promise<BadClient> {
    return new BadClient(await connectRaw({ port }));
  }

  get isClosed(): boolean {
    return this.raw.socket.closed;
  }

  /** Send these bytes in pieces, each in a packet of its own where the kernel allows. */
  async dribble(bytes: Buffer, random: Random): Promise<void> {
    for (const piece of random.pieces(bytes)) {
      if (this.raw.socket.destroyed) return;
      this.raw.socket.write(piece);
      if (random.chance(0.1)) await delay(1);
      else await nextTurn();
    }
  }

  /** Write without piling up here. False when the connection is gone. */
  async write(bytes: Buffer): Promise<boolean> {
    const { socket } = this.raw;
    if (socket.destroyed) return false;
    if (!socket.write(bytes)) {
      await Promise.race([new Promise<void>((resolve) => socket.once('drain', resolve)), this.raw.closed]);
    }
    return !socket.destroyed;
  }

  /** Close the sending side and wait for the other to end. */
  async finish(sent: Buffer): Promise<Ending> {
    if (!this.raw.socket.destroyed) this.raw.socket.end();
    return this.end(sent);
  }

  /** Wait for the other side to end. Errors: a Violation when it does not. */
  async end(sent: Buffer): Promise<Ending> {
    const isOver = await within(this.raw.closed, CLOSE_MS);
    const bytes = this.raw.rest();
    if (!isOver) {
      this.raw.close();
      throw new Violation(`not closed within ${CLOSE_MS} ms; got ${bytes.length} bytes`, sent);
    }
    return { bytes, isClean: !this.#wasReset };
  }

  /** End it with a reset. */
  reset(): void {
    this.raw.socket.resetAndDestroy();
  }

  close(): void {
    this.raw.close();
  }
}

/** Cut what came into replies. Errors: a Violation when it is anything else. */
export function framesOf(bytes: Buffer, sent: Buffer): Buffer[] {
  const reader = new FrameReader();
  reader.push(bytes);
  const frames: Buffer[] = [];
  try {
    for (let frame = reader.take(); frame !== undefined; frame = reader.take()) frames.push(frame);
  } catch (error) {
    throw new Violation(`answered what is not RESP (${String(error)})`, sent);
  }
  if (reader.rest().length > 0) throw new Violation(`the last of ${frames.length + 1} replies is cut`, sent);
  return frames;
}

/** False when it took longer. */
export async function within(done: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(ms, false, { signal: timer.signal }).catch(() => false);
  const isDone = await Promise.race([done.then(() => true), late]);
  timer.abort();
  return isDone;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
