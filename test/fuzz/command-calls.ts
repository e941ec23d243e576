import { allCommands } from '../../src/command/table.ts';
import type { CommandSpec } from '../../src/command/spec.ts';
import { isExcluded } from './exclusions.ts';
import type { Random } from './random.ts';

/** Everything that may come up. A container is called through its subcommands, and by itself now and then. */
const SPECS: readonly CommandSpec[] = allCommands().filter(({ name }) => !isExcluded(name));
const BLOCKING: ReadonlySet<string> = new Set(
  SPECS.filter((spec) => spec.isBlocking).map(({ name }) => name),
);

/** Words that options are made of. */
const WORDS =
  'NX XX GT LT KEEPTTL GET EX PX LIMIT COUNT WITHSCORES WITHVALUES ASC DESC ALPHA BY STORE MATCH TYPE * LEFT RIGHT MIN MAX ' +
  'WEIGHTS AGGREGATE SUM BYSCORE BYLEX REV FIELDS STREAMS GROUP NOACK MKSTREAM MAXLEN MINID ~ = $ > 0-0 ( [a -inf +inf ON OFF ' +
  'YES NO u8 i16 INCRBY SAMPLES km m RANK ABSTTL FREQ REPLACE';
const OPTION_WORDS: readonly string[] = WORDS.split(' ');
/** Small ones: a large offset or count is an honest request for much memory or many replies. */
const NUMBERS: readonly string[] = ['0', '1', '2', '3', '-1', '-3', '10', '100', '1000', '1.5', '-0.5'];

/** Calls that are likely to be right, so that state builds up. */
const TEMPLATES: readonly ((r: Random) => string[])[] = [
  (r) => ['SET', key(r), value(r)],
  (r) => ['GET', key(r)],
  (r) => ['GET', key(r)],
  (r) => ['INCR', key(r)],
  (r) => ['APPEND', key(r), value(r)],
  (r) => ['DEL', ...r.list(1, 3, () => key(r))],
  (r) => ['MSET', key(r), value(r), key(r), value(r)],
  (r) => ['MGET', ...r.list(1, 4, () => key(r))],
  (r) => ['EXPIRE', key(r), r.pick(['0', '1', '100'])],
  (r) => ['PEXPIRE', key(r), r.pick(['1', '20'])],
  (r) => ['HSET', key(r), 'f', value(r), 'g', '2'],
  (r) => ['HGETALL', key(r)],
  (r) => [r.pick(['LPUSH', 'RPUSH', 'SADD']), key(r), ...r.list(1, 4, () => value(r))],
  (r) => ['LRANGE', key(r), '0', '-1'],
  (r) => ['SMEMBERS', key(r)],
  (r) => ['ZADD', key(r), '1', 'a', '2.5', 'b'],
  (r) => ['ZRANGE', key(r), '0', '-1', ...(r.chance(0.5) ? ['WITHSCORES'] : [])],
  (r) => ['XADD', key(r), '*', 'f', value(r)],
  (r) => ['XREAD', 'COUNT', '2', 'BLOCK', '20', 'STREAMS', key(r), r.pick(['0', '$'])],
  (r) => [r.pick(['BLPOP', 'BRPOP', 'BZPOPMIN']), key(r), r.pick(['0.01', '0.03'])],
  (r) => ['BLMOVE', key(r), key(r), 'LEFT', 'RIGHT', '0.02'],
  () => ['WAIT', '0', '10'],
  () => ['MULTI'],
  () => ['MULTI'],
  () => ['EXEC'],
  () => ['DISCARD'],
  (r) => ['WATCH', key(r)],
  () => ['UNWATCH'],
  (r) => ['SELECT', r.pick(['0', '0', '1', '2', '99', 'x'])],
  (r) => ['HELLO', ...r.pick(['', '2', '3', '4', '3 SETNAME fuzz', '3 AUTH no body']).split(' ')],
  (r) => [
    r.pick(['SUBSCRIBE', 'UNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE']),
    ...r.list(0, 2, () => channel(r)),
  ],
  (r) => [r.pick(['PSUBSCRIBE', 'PUNSUBSCRIBE']), ...r.list(0, 2, () => `${channel(r)}*`)],
  (r) => [r.pick(['PUBLISH', 'SPUBLISH']), channel(r), value(r)],
  (r) => ['CLIENT', 'REPLY', r.pick(['ON', 'OFF', 'SKIP', 'x'])],
  (r) => [
    'CLIENT',
    'TRACKING',
    r.pick(['ON', 'ON', 'OFF']),
    ...r.pick([[], ['BCAST'], ['NOLOOP'], ['OPTIN']]),
  ],
  (r) => ['CLIENT', 'SETNAME', r.pick(['fuzz', 'a b', ''])],
  (r) => ['CLIENT', r.pick(['ID', 'INFO', 'LIST', 'GETNAME', 'TRACKINGINFO', 'GETREDIR', 'CACHING'])],
  () => ['RESET'],
  () => ['MONITOR'],
  () => ['PING'],
  (r) => ['EVAL', 'redis.call("SET", ARGV[1], "1") return redis.call("GET", ARGV[1])', '0', key(r)],
  (r) => ['EVAL', 'return {KEYS[1], {1, {2}}, {err = "MY error"}}', '1', key(r)],
  (r) => ['NOSUCHCOMMAND', value(r)],
  (r) => ['FLUSHALL', ...r.pick([[], ['ASYNC']])],
];

/** One command with its arguments. */
export function randomCall(random: Random): string[] {
  if (random.chance(0.6)) return random.pick(TEMPLATES)(random);
  const spec = random.pick(SPECS);
  if (BLOCKING.has(spec.name)) return blockingCall(random, spec.name);
  const words = spec.name.split('|');
  const least = Math.abs(spec.arity) - words.length;
  const count = spec.arity >= 0 && random.chance(0.8) ? least : least + random.int(-1, 3);
  const firstIsKey = spec.keySpecs.length > 0 && spec.keySpecs[0] === words.length;
  const args = Array.from({ length: Math.max(0, count) }, (_, index) => {
    return index === 0 && firstIsKey && random.chance(0.9) ? key(random) : argument(random);
  });
  return [...words, ...args];
}

/** Never without a time-out, and a short one. */
function blockingCall(random: Random, name: string): string[] {
  switch (name) {
    case 'wait':
    case 'waitaof':
      return ['WAIT', random.pick(['0', '1']), '20'];
    case 'xread':
      return ['XREAD', 'BLOCK', '20', 'STREAMS', key(random), '$'];
    case 'xreadgroup':
      return ['XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '20', 'STREAMS', key(random), '>'];
    case 'blmpop':
      return ['BLMPOP', '0.02', '1', key(random), 'LEFT'];
    case 'bzmpop':
      return ['BZMPOP', '0.02', '1', key(random), 'MIN'];
    case 'blmove':
      return ['BLMOVE', key(random), key(random), 'LEFT', 'LEFT', '0.02'];
    case 'brpoplpush':
      return ['BRPOPLPUSH', key(random), key(random), '0.02'];
    default:
      return [name, key(random), '0.02'];
  }
}

function argument(random: Random): string {
  switch (random.int(0, 3)) {
    case 0:
      return key(random);
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return random.pick(OPTION_WORDS);
    default:
      return value(random);
  }
}

function key(random: Random): string {
  return `fuzz:${random.int(0, 15)}`;
}

function channel(random: Random): string {
  return random.pick(['fuzz:a', 'fuzz:b', 'fuzz:c']);
}

function value(random: Random): string {
  if (random.chance(0.02)) return 'L'.repeat(random.int(10_000, 400_000));
  return random.chance(0.3) ? String(random.int(0, 99)) : random.bytes(random.int(0, 12)).toString('latin1');
}
