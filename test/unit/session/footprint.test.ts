import { expect, test } from 'vitest';

import type { ByteSocket } from '../../../src/base/byte-socket.ts';
import { Footprint } from '../../../src/session/footprint.ts';
import type { ReplyWriter } from '../../../src/session/reply-writer.ts';
import type { RequestReader } from '../../../src/session/request-reader.ts';
import type { Session } from '../../../src/session/session.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** A session that has more to be served than its share in every turn. */
class Greedy {
  served = 0;
  readonly clock = new ManualClock();
  readonly #session = { now: 0, context: { clock: this.clock } };
  readonly #footprint = new Footprint(
    this.#session as unknown as Session,
    {} as RequestReader,
    {} as ReplyWriter,
    {} as ByteSocket,
  );

  /** As many turns as it gets without a pause, at most ten. Units: `everyMs` from one to the next. */
  serve(everyMs: number): number {
    const before = this.served;
    for (let turn = 0; turn < 10 && this.clock.waiting.count === 0; turn++) {
      this.clock.advance(everyMs);
      this.#session.now = this.clock.now();
      this.#footprint.goOn(() => this.served++);
    }
    return this.served - before;
  }
}

test('a session that takes its whole share of every turn pauses for a millisecond, and goes on', () => {
  const session = new Greedy();
  expect(session.serve(0.2)).toBe(3);
  expect(session.clock.waiting).toEqual({ count: 1, nextMs: 1 });
  session.clock.advance(1);
  expect(session.served).toBe(4);
  expect(session.serve(0.2)).toBe(3);
});

test('it needs no pause when its turns are apart anyway', () => {
  expect(new Greedy().serve(1.5)).toBe(10);
});
