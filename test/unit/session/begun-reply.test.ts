// Who has the beginning of a reply cannot be given another: what follows would be taken for the reply to the next command.
import { describe, expect, it } from 'vitest';

import { FanOutCall } from '../../../src/session/fan-out-call.ts';
import { repeatRead } from '../../../src/session/retry.ts';
import type { Slot } from '../../../src/session/slot.ts';
import type { Identity } from '../../../src/shard/identity.ts';
import { SlotDesk } from '../../support/slot-desk.ts';
import { idOf } from '../../support/store-entry.ts';

const BEGINNING = Buffer.from('$10\r\nabc');
const LOST = { kind: 'lost', reason: 'read ECONNRESET' } as const;

class WithSubstitute extends FanOutCall {
  override insteadOf(): Buffer {
    return Buffer.from('+instead\r\n');
  }
}

function begin(call: FanOutCall, slot: Slot): void {
  call.waiters.push(slot);
  call.reply(BEGINNING, 0, BEGINNING.length, false, { type: BEGINNING[0] as number, hasResp3: false });
}

describe('A read whose link is lost', () => {
  it('is answered with something else only if nothing of its reply has come', () => {
    const desk = new SlotDesk();
    const [untouched, begun] = [new WithSubstitute(), new WithSubstitute()];
    untouched.waiters.push(desk.slot());
    untouched.fail(LOST);
    expect(desk.out).toBe('+instead\r\n');
    begin(begun, desk.slot());
    // Which closes the session.
    expect(() => begun.fail(LOST)).toThrow('out of step');
    expect(desk.out.match(/instead/g)).toHaveLength(1);
  });

  it('is sent once more only if nothing of its reply has come', () => {
    const sent: unknown[] = [];
    const shared = { submit: (call: unknown) => sent.push(call) };
    const shard = { retries: { take: () => true }, stats: { commands: 0 } };
    const desk = new SlotDesk();
    const [untouched, begun] = [desk.slot(), desk.slot()];
    for (const slot of [untouched, begun]) slot.identity = { shared, shard } as unknown as Identity;
    begin(new FanOutCall(), begun);
    const read = { id: idOf('k'), argc: 2, db: 0, timeoutMs: 0, insteadOf: () => undefined };
    expect(repeatRead(read, [untouched, begun], 0)).toEqual([begun]);
    expect(sent).toHaveLength(1);
  });
});
