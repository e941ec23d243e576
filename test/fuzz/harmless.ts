import { encodeRequest } from '../support/raw-client.ts';
import type { Random } from './random.ts';

/** Requests whose replies depend on nothing but themselves, whoever else is at work: what nearcache answers to them can
 *  be compared with Redis. */
export function harmlessRequest(random: Random): string[] {
  const word = random.bytes(random.int(0, random.chance(0.05) ? 3000 : 20)).toString('latin1');
  return random.pick([
    ['PING'],
    ['ping', word],
    ['ECHO', word],
    ['echo', '$3\r\nfoo\r\n'],
    ['GET', `missing:${word}`],
    ['STRLEN', `missing:${word}`],
    ['LRANGE', `missing:${word}`, '0', '-1'],
    ['MGET', 'missing:1', 'missing:2'],
    ['ECHO'],
    ['NOSUCH', word],
    ['OBJECT', 'HELP', word],
  ]);
}

/** One or more of them as they go over the wire, sometimes in the inline form. */
export function harmlessStream(random: Random): Buffer {
  const requests = random.list(1, 8, () => {
    if (random.chance(0.2)) {
      return random.pick([
        'PING\r\n',
        'ECHO word\n',
        'ECHO "a b"\r\n',
        '\r\n',
        "ECHO 'x\\'y'\r\n",
        'GET missing\r\n',
      ]);
    }
    return encodeRequest(harmlessRequest(random));
  });
  return Buffer.concat(requests.map((request) => Buffer.from(request as string)));
}
