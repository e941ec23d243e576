import { BadClient, type Ending, framesOf } from './bad-client.ts';
import type { Random } from './random.ts';
import { excerpt, type FuzzTarget, Violation } from './strategy.ts';

const PROTOCOL_ERROR = '-ERR Protocol error';

/** Send the same bytes to nearcache, in pieces, and to Redis: both must say the same, byte for byte, and close.
 *  Bounds: bytes whose replies depend on nothing but themselves, at most 16 KiB, since Redis's own limits on lines depend
 *  on how its reads cut them. */
export async function mustAgree(target: FuzzTarget, random: Random, bytes: Buffer): Promise<string> {
  const [ours, theirs] = await Promise.all([
    answers(target.port, bytes, random),
    answers(target.redisPort, bytes),
  ]);
  const frames = framesOf(ours.bytes, bytes);
  if (!ours.bytes.equals(theirs.bytes)) {
    throw new Violation(`answered ${excerpt(ours.bytes)} and Redis ${excerpt(theirs.bytes)}`, bytes);
  }
  if (!ours.isClean) throw new Violation('reset instead of closed', bytes);
  return outcomeOf(frames);
}

/** How a stream ended, by its replies. */
export function outcomeOf(frames: readonly Buffer[]): string {
  if (frames.at(-1)?.toString('latin1').startsWith(PROTOCOL_ERROR) === true) return 'protocol error';
  return frames.length === 0 ? 'closed without a reply' : 'answered and closed';
}

async function answers(port: number, bytes: Buffer, random?: Random): Promise<Ending> {
  const client = await BadClient.connect(port);
  if (random === undefined) client.raw.send(bytes);
  else await client.dribble(bytes, random);
  return client.finish(bytes);
}
