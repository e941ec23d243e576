import { expect, test } from 'vitest';

import type { Redirects } from '../../../src/route/upstream.ts';
import { mayDetour } from '../../../src/session/detour.ts';
import type { Session } from '../../../src/session/session.ts';
import type { Call, CallFailure } from '../../../src/shard/call.ts';
import type { Shard } from '../../../src/shard/shard.ts';
import { requestOf } from '../../support/request-of.ts';
import { giveReply, SlotDesk } from '../../support/slot-desk.ts';

const PLACE = 7;
const MOVED = `-MOVED ${PLACE} 127.0.0.1:7002\r\n`;

/** What became of a GET that a node answers with MOVED. Shape: what was sent to the other node, and what the app hears. */
function redirect(obstacle: CallFailure | undefined): { sent: string[]; heard: string } {
  const sent: string[] = [];
  const shared = {
    isReady: true,
    position: 0,
    obstacle,
    submitBlock: (calls: readonly Call[], bytes: Buffer, start: number, end: number) => {
      sent.push(bytes.toString('latin1', start, end));
      giveReply(calls[0] as Call, '$1\r\nv\r\n');
    },
  };
  const shard = { name: 'there', own: {} } as unknown as Shard;
  const redirects: Redirects = { moved: () => shard, asked: () => shard };
  const session = {
    place: PLACE,
    isClosed: false,
    lastPosition: 0,
    context: { options: { redirectsMax: 2 }, upstream: { redirects } },
    user: { at: () => ({ shared, shard }) },
  };
  const desk = new SlotDesk();
  const slot = desk.slot();
  slot.identity = shard.own;
  mayDetour(session as unknown as Session, slot, requestOf('GET', 'k'), 'shared');
  giveReply(slot, MOVED);
  return { sent, heard: desk.out };
}

test('a redirected command goes on to the node that has its slot', () => {
  expect(redirect(undefined)).toEqual({ sent: ['*2\r\n$3\r\nGET\r\n$1\r\nk\r\n'], heard: '$1\r\nv\r\n' });
});

test('it hears at once when the circuit breaker of that node is open', () => {
  const { sent, heard } = redirect({ kind: 'open', reason: 'it is silent' });
  expect(sent).toEqual([]);
  expect(heard).toMatch(
    /^-ERR nearcache: shard \S+ is away \(it is silent\); the circuit breaker is open and the command was not sent/,
  );
});
