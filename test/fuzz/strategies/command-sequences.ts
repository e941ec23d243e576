import { encodeRequest } from '../../support/raw-client.ts';
import { BadClient } from '../bad-client.ts';
import { randomCall } from '../command-calls.ts';
import type { Random } from '../random.ts';
import { excerpt, type Strategy, Violation } from '../strategy.ts';

/** After any of these the number of replies is not the number of requests. */
const UNCOUNTED: ReadonlySet<string> = new Set(
  'SUBSCRIBE UNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE MONITOR CLIENT HELLO QUIT'.split(
    ' ',
  ),
);

const LAST_REPLY_MS = 15_000;

/** Any commands in any order, right and wrong ones, in any state a session can be in. Whatever came before, RESET must
 *  bring the session back, and an ECHO behind it must be the last reply. */
export const commandSequences: Strategy = {
  name: 'command sequences',
  workers: 3,
  async round(target, random) {
    const calls = random.list(1, 40, () => randomCall(random));
    const mark = `mark ${random.seed()}`;
    const sent = Buffer.concat([...calls, ['RESET'], ['ECHO', mark]].map((args) => encodeRequest(args)));
    const client = await BadClient.connect(target.port);
    await send(client, sent, random);
    const expected = `$${mark.length}\r\n${mark}\r\n`;
    const { frames, end } = await framesUntil(client, expected);
    const { bytes, isClean } = await client.finish(sent);
    if (calls.some(([name]) => name?.toUpperCase() === 'QUIT')) return 'ended by QUIT';
    const last = frames.at(-1) ?? Buffer.alloc(0);
    if (last.toString('latin1') !== expected || bytes.length > 0 || !isClean) {
      const names = calls.map((args) => args.join(' ').slice(0, 60)).join('; ');
      const how = isClean ? end : `${end}, then a reset`;
      throw new Violation(`ended with ${excerpt(last)} instead of the ECHO (${how}); ${names}`);
    }
    return counted(calls, frames.length, sent);
  },
};

/** A blocked session that closes its side is ended at once, so nothing is closed before the last reply is here. */
async function framesUntil(client: BadClient, last: string): Promise<{ frames: Buffer[]; end: string }> {
  const frames: Buffer[] = [];
  for (;;) {
    const frame = await client.raw.readFrame(LAST_REPLY_MS).catch((error: Error) => error.message);
    if (typeof frame === 'string') return { frames, end: frame };
    frames.push(frame);
    if (frame.toString('latin1') === last) return { frames, end: 'it came' };
  }
}

async function send(client: BadClient, sent: Buffer, random: Random): Promise<void> {
  if (sent.length > 100_000) await client.write(sent);
  else await client.dribble(sent, random);
}

function counted(calls: readonly string[][], replies: number, sent: Buffer): string {
  if (calls.some(([name]) => UNCOUNTED.has((name as string).toUpperCase()))) return 'back after RESET';
  if (replies === calls.length + 2) return 'back after RESET, replies counted';
  throw new Violation(`${replies} replies to ${calls.length + 2} requests`, sent);
}
