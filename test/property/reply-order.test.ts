import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import type { ByteSocket } from '../../src/base/byte-socket.ts';
import { Fifo } from '../../src/base/fifo.ts';
import { settleRun } from '../../src/base/output-buffer.ts';
import { ReplyScanner } from '../../src/protocol/reply-scanner.ts';
import { toResp2 } from '../../src/protocol/resp2.ts';
import { ReplyWriter } from '../../src/session/reply-writer.ts';
import type { Session } from '../../src/session/session.ts';
import { Slot, type SlotOwner } from '../../src/session/slot.ts';
import { FrameReader } from '../support/frame-reader.ts';
import { cut, cuts, type RespModel, resp3Values, wireOf } from '../support/resp-arbitrary.ts';

const LINKS = 3;

/** One request: who answers it, and how. */
interface Asked {
  /** A link's number, or -1 when it is answered here. */
  link: number;
  reply: RespModel;
  needsResp2: boolean;
  isSilent: boolean;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  link: fc.integer({ min: -1, max: LINKS - 1 }),
  // A push is no reply.
  reply: resp3Values.filter(({ type }) => type !== '>' && type !== '|'),
  needsResp2: fc.boolean(),
  isSilent: fc.boolean(),
});

it('lets replies leave in the order of the requests, whichever link answers first and however replies are cut', () => {
  fc.assert(
    fc.property(
      fc.array(asked, { maxLength: 12 }),
      fc.array(cuts, { minLength: LINKS, maxLength: LINKS }),
      fc.array(fc.nat(LINKS), { maxLength: 100 }),
      (requests, cutPlaces, turns) => {
        const session = new WritingSession();
        const expected = play(session, requests, cutPlaces, turns);
        expect(session.flushed()).toBe(expected);
        expect(session.outstanding).toBe(0);
        expect(session.writer.backlog).toBe(0);
      },
    ),
    { interruptAfterTimeLimit: 4000, numRuns: 1000 },
  );
});

it('lets pushes leave whole and in their order, however they are cut, and replies in theirs', () => {
  fc.assert(
    fc.property(
      fc.array(asked, { maxLength: 8 }),
      fc.array(fc.string({ maxLength: 30 }), { maxLength: 8 }),
      fc.array(cuts, { minLength: LINKS, maxLength: LINKS }),
      cuts,
      fc.array(fc.nat(LINKS + 1), { maxLength: 100 }),
      (requests, words, cutPlaces, pushCuts, turns) => {
        const session = new WritingSession();
        const pushes = words.map((word) => `>1\r\n$${Buffer.byteLength(word)}\r\n${word}\r\n`);
        const stream = new PushStream(session.writer, Buffer.from(pushes.join('')), pushCuts);
        const expected = play(session, requests, cutPlaces, turns, stream);
        const reader = new FrameReader();
        reader.push(Buffer.from(session.flushed(), 'latin1'));
        const frames: Buffer[] = [];
        for (let frame = reader.take(); frame !== undefined; frame = reader.take()) frames.push(frame);
        expect(reader.rest()).toHaveLength(0);
        const isPush = (frame: Buffer): boolean => frame[0] === '>'.charCodeAt(0);
        expect(Buffer.concat(frames.filter(isPush)).toString()).toBe(pushes.join(''));
        const replies = Buffer.concat(frames.filter((frame) => !isPush(frame)));
        expect(replies.toString('latin1')).toBe(expected);
        expect(session.writer.backlog).toBe(0);
      },
    ),
    { interruptAfterTimeLimit: 4000, numRuns: 1000 },
  );
});

/** Asks everything, lets links, local answers and the pushes take their turns, then all that is left. Returns what the replies must be. */
function play(
  session: WritingSession,
  requests: readonly Asked[],
  cutPlaces: readonly (readonly number[])[],
  turns: readonly number[],
  stream?: PushStream,
): string {
  const links = cutPlaces.map((places) => new Link(places));
  const local: (() => void)[] = [];
  const expected: string[] = [];
  for (const request of requests) {
    const slot = session.slot(request);
    const frame = Buffer.from(wireOf(request.reply), 'latin1');
    if (!request.isSilent) expected.push(convert(frame, request).toString('latin1'));
    if (request.link >= 0) links[request.link]?.owes(slot, frame);
    else local.push(() => slot.answer(convert(frame, request)));
  }
  for (const turn of turns) {
    if (turn === LINKS) local.shift()?.();
    else if (turn > LINKS) stream?.read();
    else links[turn]?.read();
  }
  for (const answer of local) answer();
  for (const link of links) while (link.read());
  while (stream?.read() === true);
  return expected.join('');
}

function convert(frame: Buffer, { needsResp2, link }: Asked): Buffer {
  // What is answered here is in the session's protocol already.
  if (!needsResp2 || link < 0) return frame;
  return toResp2(frame, 0, frame.length, { shape: 'plain', argc: 1, inExec: false });
}

/** As much of a session as its writer and its slots see. */
class WritingSession implements SlotOwner {
  writes = 0;
  isClosed = false;
  readonly shardName = 'shard0';

  isNewest(): boolean {
    return true;
  }

  readonly isBehind = false;
  readonly context = { stats: { bytesOut: 0 } };
  waitingHits = 0;
  outstanding = 0;
  readonly writer: ReplyWriter;
  #sent = '';

  constructor() {
    const socket = {
      backlog: 0,
      corkedWrite: (pieces: readonly Buffer[]): void => {
        this.#sent += Buffer.concat(pieces).toString('latin1');
      },
    };
    this.writer = new ReplyWriter(this as unknown as Session, socket as unknown as ByteSocket);
  }

  slot({ needsResp2, isSilent, link }: Asked): Slot {
    const slot = new Slot(this);
    slot.needsResp2 = needsResp2;
    slot.isSilent = isSilent;
    slot.argc = 1;
    if (link >= 0) this.outstanding++;
    this.writer.queue.push(slot);
    return slot;
  }

  flushed(): string {
    this.writer.flush();
    return this.#sent;
  }

  isHead(slot: Slot): boolean {
    return this.writer.isNext(slot);
  }

  emit(slot: Slot, chunk: Buffer, start: number, end: number): void {
    if (!slot.isSilent) this.writer.append(chunk, start, end);
  }

  answered(slot: Slot): void {
    if (this.writer.queue.head === slot) this.writer.advance();
  }

  settled(): void {
    this.outstanding--;
  }

  kept(bytes: number): void {
    this.writer.kept(bytes);
  }

  countOwnError(): void {}

  timedOut(): void {}

  outOfStep(): void {
    throw new Error('out of step');
  }
}

/** A connection that brings replies in its own order, cut anywhere, out of a read buffer that is used again. */
class Link {
  readonly #places: readonly number[];
  readonly #slots = new Fifo<Slot>();
  readonly #scanner = new ReplyScanner();
  readonly #frames: Buffer[] = [];
  #chunks: Buffer[] | undefined;

  constructor(places: readonly number[]) {
    this.#places = places;
  }

  owes(slot: Slot, frame: Buffer): void {
    this.#slots.push(slot);
    this.#frames.push(frame);
  }

  /** One read of the socket; false when there is nothing more. */
  read(): boolean {
    if (this.#frames.length === 0) return false;
    this.#chunks ??= cut(Buffer.concat(this.#frames), this.#places);
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return false;
    const buffer = Buffer.from(chunk);
    for (let at = 0; at < buffer.length; ) {
      const next = this.#scanner.next(buffer, at, buffer.length);
      const isLast = next >= 0;
      const end = isLast ? next : buffer.length;
      const slot = this.#slots.peek() as Slot;
      if (isLast) this.#slots.shift();
      slot.reply(buffer, at, end, isLast, this.#scanner);
      at = end;
    }
    settleRun();
    buffer.fill('?');
    return true;
  }
}

/** A connection that brings nothing but pushes. */
class PushStream {
  readonly #writer: ReplyWriter;
  readonly #scanner = new ReplyScanner();
  readonly #chunks: Buffer[];

  constructor(writer: ReplyWriter, bytes: Buffer, places: readonly number[]) {
    this.#writer = writer;
    this.#chunks = bytes.length === 0 ? [] : cut(bytes, places);
  }

  /** One read of the socket; false when there is nothing more. */
  read(): boolean {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return false;
    const buffer = Buffer.from(chunk);
    for (let at = 0; at < buffer.length; ) {
      const next = this.#scanner.next(buffer, at, buffer.length);
      const end = next >= 0 ? next : buffer.length;
      this.#writer.push(buffer, at, end, next >= 0);
      at = end;
    }
    settleRun();
    buffer.fill('?');
    return true;
  }
}
