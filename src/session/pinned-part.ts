import { copyOf } from '../base/copy-of.ts';
import { blockingTimeoutMs } from '../command/keys.ts';
import type { CommandSpec } from '../command/spec.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import type { FanIn } from './fan-in.ts';
import { runOnLoan } from './pinned-loan.ts';
import type { Session } from './session.ts';

const PING = encodeRequest(['PING']);

/** Run the part of a command that needs a connection of its own, at the shard at which the session is aimed: one from the pool,
 *  given back with the reply. */
export function runPinnedPart(session: Session, request: Request, spec: CommandSpec): void {
  const { identity, pin, context } = session;
  const slot = (session.fanIn as FanIn).part(identity);
  const askedMs = blockingTimeoutMs(spec, request);
  if (spec.isBlocking) slot.timeoutMs = askedMs === 0 ? 0 : askedMs + context.options.blockingGraceMs;
  runOnLoan(session, identity, {
    slot,
    bytes: copyOf(request.buffer, request.start, request.end),
    proto: 3,
    // WAIT counts from this connection's own last command (DESIGN rule 5).
    ahead: PING,
    isClean: spec.name.startsWith('wait'),
    begins: () => {
      if (spec.isBlocking) pin.blockingParts++;
      slot.sentAt = context.clock.now();
    },
    ends: () => {
      if (spec.isBlocking) pin.blockingParts--;
    },
  });
}
