import { MALFORMED } from '../../support/malformed-requests.ts';
import { BadClient, framesOf } from '../bad-client.ts';
import { harmlessStream } from '../harmless.ts';
import { excerpt, type Strategy, Violation } from '../strategy.ts';

const forAnyone = MALFORMED.filter(({ isStranger }) => isStranger !== true);

/** Each way in which Redis refuses a request, behind valid ones: the answer must be Redis's sentence, then the end, even
 *  when the client goes on sending. */
export const malformedRequests: Strategy = {
  name: 'malformed requests',
  workers: 1,
  async round(target, random) {
    const { bytes, error } = random.pick(forAnyone);
    const sent = Buffer.concat([harmlessStream(random), Buffer.from(bytes, 'latin1')]);
    const client = await BadClient.connect(target.port);
    await client.dribble(sent, random);
    const goesOn = random.chance(0.3);
    if (goesOn) client.raw.send(random.bytes(random.int(1, 100_000)));
    // Whoever waits for the answer before closing gets the end from nearcache's side.
    const ending = random.chance(0.5) ? await client.end(sent) : await client.finish(sent);
    const last = framesOf(ending.bytes, sent).at(-1);
    const expected = `-ERR Protocol error: ${error.replace(/[\r\n]/g, ' ')}\r\n`;
    if (last?.toString('latin1') !== expected) {
      throw new Violation(
        `answered ${excerpt(last ?? Buffer.alloc(0))}, not ${JSON.stringify(expected)}`,
        sent,
      );
    }
    if (!ending.isClean) throw new Violation('reset instead of closed', sent);
    return goesOn ? 'protocol error, though it went on' : 'protocol error';
  },
};
