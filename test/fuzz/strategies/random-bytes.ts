import { BadClient, framesOf } from '../bad-client.ts';
import { outcomeOf } from '../oracle.ts';
import type { Random } from '../random.ts';
import { type Strategy, Violation } from '../strategy.ts';

/** Noise of different kinds: any bytes, text, the bytes that RESP is made of, and the first bytes of other protocols. */
export const randomBytes: Strategy = {
  name: 'random bytes',
  workers: 1,
  async round(target, random) {
    const bytes = noise(random);
    const client = await BadClient.connect(target.port);
    await client.dribble(bytes, random);
    const ending = await client.finish(bytes);
    // Redis cuts off whoever says POST or Host:, and so does nearcache; what else was sent is not read any more.
    if (/(^|\n)(post|host:)/i.test(bytes.toString('latin1'))) return 'HTTP cut off';
    if (!ending.isClean) throw new Violation('reset instead of closed', bytes);
    return outcomeOf(framesOf(ending.bytes, bytes));
  },
};

const OTHER_PROTOCOLS = [
  'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nPING\r\n',
  'SSH-2.0-OpenSSH_9.2p1\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  '\x00\x00\x00\x08\x04\xd2\x16\x2f',
  'HELO example.org\r\nMAIL FROM:<a@example.org>\r\n',
] as const;

function noise(random: Random): Buffer {
  const length = random.chance(0.1) ? random.int(10_000, 200_000) : random.int(1, 2000);
  switch (random.int(0, 4)) {
    case 0:
      return random.bytes(length);
    case 1:
      return random.bytes(length, 'abcXYZ019 \t\'"\\.,;:!?\r\n');
    case 2:
      return random.bytes(length, '*$0123456789-\r\n');
    case 3:
      return Buffer.concat([
        Buffer.from(random.pick(OTHER_PROTOCOLS), 'latin1'),
        random.bytes(random.int(0, 300)),
      ]);
    default:
      return Buffer.alloc(length, random.int(0, 255));
  }
}
