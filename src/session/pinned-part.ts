import { blockingTimeoutMs } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { OwnCall } from '../shard/call.ts';
import type { PinnedConnection, PinnedHolder } from '../shard/pinned-connection.ts';
import type { FanIn } from './fan-in.ts';
import type { Session } from './session.ts';

const PING = encodeRequest(['PING']);

/** Run the part of a command that needs a connection of its own, at the shard at which the session is aimed: one from the pool,
 *  given back with the reply. */
export function runPinnedPart(session: Session, request: Request, spec: CommandSpec): void {
  const { identity, db } = session;
  const slot = (session.fanIn as FanIn).part(identity);
  const askedMs = blockingTimeoutMs(spec, request);
  if (spec.isBlocking) slot.timeoutMs = askedMs === 0 ? 0 : askedMs + session.context.options.blockingGraceMs;
  const bytes = Buffer.from(request.buffer.subarray(request.start, request.end));
  identity.pinned.acquire(holder, { proto: 3, db, name: session.name }, (pinned, failure) => {
    if (failure !== undefined) return slot.fail(failure);
    if (pinned === undefined) return;
    if (session.isClosed) {
      identity.pinned.release(pinned, true);
      return slot.fail({ kind: 'lost', reason: 'its session closed' });
    }
    // It may block: it ends with its session.
    session.pin.detours.add(pinned);
    if (spec.isBlocking) session.pin.blockingParts++;
    // WAIT counts from this connection's own last command (DESIGN rule 5).
    submit(pinned, PING, () => undefined);
    slot.sentAt = session.context.clock.now();
    pinned.submit(slot, bytes, 0, bytes.length);
    submit(pinned, PING, () => {
      session.pin.detours.delete(pinned);
      if (spec.isBlocking) session.pin.blockingParts--;
      identity.pinned.release(pinned, spec.name.startsWith('wait'));
    });
  });
}

function submit(pinned: PinnedConnection, bytes: Buffer, done: () => void): void {
  pinned.submit(new OwnCall(done), bytes, 0, bytes.length);
}

/** The calls hear of a loss themselves. */
const holder: PinnedHolder = {
  pinnedFrame: () => undefined,
  pinnedLost: () => undefined,
  pinnedDrained: () => undefined,
};
