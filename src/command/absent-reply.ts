import type { CommandSpec } from './spec.ts';

const NIL = '_\r\n';
const ZERO = ':0\r\n';
const NO_ELEMENTS = '*0\r\n';

/** By command: what Redis says in RESP3 of a key that does not exist. */
const REPLIES: Readonly<Record<string, string>> = {
  bitcount: ZERO,
  exists: ZERO,
  expiretime: ':-2\r\n',
  geodist: NIL,
  georadius_ro: NO_ELEMENTS,
  georadiusbymember_ro: NO_ELEMENTS,
  geosearch: NO_ELEMENTS,
  get: NIL,
  getbit: ZERO,
  getrange: '$0\r\n\r\n',
  hexists: ZERO,
  hget: NIL,
  hgetall: '%0\r\n',
  hkeys: NO_ELEMENTS,
  hlen: ZERO,
  hstrlen: ZERO,
  hvals: NO_ELEMENTS,
  lindex: NIL,
  llen: ZERO,
  lrange: NO_ELEMENTS,
  pexpiretime: ':-2\r\n',
  scard: ZERO,
  sismember: ZERO,
  smembers: '~0\r\n',
  strlen: ZERO,
  substr: '$0\r\n\r\n',
  type: '+none\r\n',
  xlen: ZERO,
  xrange: NO_ELEMENTS,
  xrevrange: NO_ELEMENTS,
  zcard: ZERO,
  zcount: ZERO,
  zlexcount: ZERO,
  zrange: NO_ELEMENTS,
  zrangebylex: NO_ELEMENTS,
  zrangebyscore: NO_ELEMENTS,
  zrevrange: NO_ELEMENTS,
  zrevrangebylex: NO_ELEMENTS,
  zrevrangebyscore: NO_ELEMENTS,
  zscore: NIL,
};

/** Those with one element for each argument behind the key, or for each key. */
const ELEMENTS: Readonly<Record<string, { readonly element: string; readonly notCounted: number }>> = {
  geohash: { element: NIL, notCounted: 2 },
  geopos: { element: NIL, notCounted: 2 },
  hmget: { element: NIL, notCounted: 2 },
  mget: { element: NIL, notCounted: 1 },
  smismember: { element: ZERO, notCounted: 2 },
  zmscore: { element: NIL, notCounted: 2 },
};

/** Bounds: an array of more elements is not made up. */
const ELEMENTS_MAX = 1024;

/** What Redis would say if none of the command's keys existed, in RESP3; undefined = that depends on more than the command's name.
 *  Source: replies of Redis 7.0, which a test compares. */
export function absentReply({ name }: CommandSpec, argc: number): Buffer | undefined {
  const reply = REPLIES[name];
  if (reply !== undefined) return Buffer.from(reply, 'latin1');
  const many = ELEMENTS[name];
  if (many === undefined) return undefined;
  const count = argc - many.notCounted;
  if (count < 1 || count > ELEMENTS_MAX) return undefined;
  return Buffer.from(`*${count}\r\n${many.element.repeat(count)}`, 'latin1');
}
