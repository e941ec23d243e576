import { setTimeout as delay } from 'node:timers/promises';

import { encodeRequest } from '../../support/raw-client.ts';
import { BadClient, framesOf } from '../bad-client.ts';
import { harmlessStream } from '../harmless.ts';
import type { Strategy } from '../strategy.ts';

/** What a session may be in the middle of. */
const STATES: readonly (readonly string[][])[] = [
  [],
  [['MULTI'], ['SET', 'fuzz:half', '1']],
  [['WATCH', 'fuzz:half'], ['MULTI'], ['GET', 'fuzz:half']],
  [['BLPOP', 'fuzz:half:list', '0']],
  [['BRPOPLPUSH', 'fuzz:half:list', 'fuzz:half:other', '0']],
  [['XREAD', 'BLOCK', '0', 'STREAMS', 'fuzz:half:stream', '$']],
  [['SUBSCRIBE', 'fuzz:a', 'fuzz:b']],
  [
    ['HELLO', '3'],
    ['SUBSCRIBE', 'fuzz:a'],
    ['GET', 'fuzz:half'],
  ],
  [['MONITOR']],
  [
    ['HELLO', '3'],
    ['CLIENT', 'TRACKING', 'ON', 'BCAST'],
  ],
  [['CLIENT', 'REPLY', 'OFF']],
  [['WAIT', '1', '0']],
  [['EVAL', 'local n = 0 for i = 1, 200000 do n = n + i end return n', '0']],
];

/** Closes with FIN or RST at any moment: in the middle of a request, of a reply, of a transaction, while blocked or
 *  subscribed. After a FIN nearcache must end the session by itself. */
export const halfOpen: Strategy = {
  name: 'half-open closes',
  workers: 2,
  async round(target, random) {
    const state = random.pick(STATES);
    const rest = harmlessStream(random);
    const sent = Buffer.concat([
      ...state.map((args) => encodeRequest(args)),
      rest.subarray(0, random.int(0, rest.length)),
    ]);
    const client = await BadClient.connect(target.port);
    await client.dribble(sent, random);
    if (random.chance(0.5)) await delay(random.int(0, 30));
    if (random.chance(0.5)) {
      client.reset();
      return 'reset';
    }
    const { bytes } = await client.finish(sent);
    // A stream without end may be cut anywhere.
    if (state[0]?.[0] !== 'MONITOR') framesOf(bytes, sent);
    return 'closed after FIN';
  },
};
