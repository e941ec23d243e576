import { setTimeout as delay } from 'node:timers/promises';

import { BadClient } from '../bad-client.ts';
import { excerpt, type Strategy, Violation } from '../strategy.ts';

const LENGTH_MAX = 3_000_000;

/** Large values of which only a part is sent before the client closes, resets or goes silent; and some that are whole, so
 *  that the way stays usable. */
export const cutRequests: Strategy = {
  name: 'cut big requests',
  workers: 1,
  async round(target, random) {
    const length = random.int(1, LENGTH_MAX);
    const key = `fuzz:cut:${random.int(0, 3)}`;
    const head = Buffer.from(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${length}\r\n`);
    const whole = Buffer.concat([head, Buffer.alloc(length, 120), Buffer.from('\r\n')]);
    const isWhole = random.chance(0.2);
    const sent = isWhole ? whole : whole.subarray(0, random.int(1, whole.length - 1));
    const client = await BadClient.connect(target.port);
    for (let at = 0; at < sent.length; at += 100_000) {
      if (!(await client.write(sent.subarray(at, at + 100_000)))) break;
      await target.throttle.rest();
    }
    if (!isWhole && random.chance(0.3)) {
      client.reset();
      return 'reset in the middle';
    }
    if (random.chance(0.3)) await delay(random.int(1, 500));
    const { bytes, isClean } = await client.finish(sent);
    const expected = isWhole ? '+OK\r\n' : '';
    if (bytes.toString('latin1') !== expected || !isClean) {
      const how = isClean ? 'closed' : 'reset';
      throw new Violation(`${sent.length} of ${whole.length} bytes: ${how} after ${excerpt(bytes)}`, head);
    }
    return isWhole ? 'whole: stored' : 'closed without a reply';
  },
};
