// What must be one step at a server. Each script names the ring's record in database 0, whatever database its keys are in; a SELECT
// within a script ends with it.

import type { Reply } from '../protocol/reply-parser.ts';
import { RING_KEY } from './ring-record.ts';

/** Who moves keys there. Shape: no password = do not authenticate. */
export interface MoveTarget {
  readonly host: string;
  readonly port: number;
  readonly user?: string | Buffer | undefined;
  readonly password?: string | Buffer | undefined;
}

/** A request and the database that it is to run in. */
export type Arguments = readonly (string | Buffer)[];

/** Replace the record, if it is what we think. Shape: KEYS = record; ARGV = old ('' = none), new. Answers the record as it is then. */
export const STEP_SCRIPT = `local line = redis.call('GET', KEYS[1]) or ''
if line ~= ARGV[1] then return line end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]`;

/** A move that was held up on its way must not run when the ring is in another state than its sender thought. */
const GUARD = `redis.call('SELECT', 0)
local line = redis.call('GET', KEYS[1]) or ''
redis.call('SELECT', ARGV[2])
if line ~= ARGV[1] then return redis.error_reply('EPOCH ' .. line) end
`;

const MIGRATE_SCRIPT = `${GUARD}return redis.pcall('MIGRATE', unpack(ARGV, 3))`;

const TAKE_SCRIPT = `${GUARD}local ttl = redis.call('PTTL', KEYS[2])
if ttl == -2 then return redis.status_reply('NOKEY') end
return {redis.call('DUMP', KEYS[2]), ttl}`;

/** The mark outlives every RESTORE that may still be on its way: one that comes after the key was moved, used and deleted does nothing. */
const PUT_SCRIPT = `redis.call('SELECT', 0)
local line = redis.call('GET', KEYS[1]) or ''
redis.call('SELECT', ARGV[2])
local id, state = string.match(line, '^v1 (%w+) %d+ (%w+)')
if id ~= ARGV[1] or state == 'done' then return redis.error_reply('EPOCH ' .. line) end
if redis.call('EXISTS', KEYS[3]) == 1 then return redis.status_reply('NOKEY') end
local reply = redis.pcall('RESTORE', KEYS[2], ARGV[3], ARGV[4])
if type(reply) == 'table' and reply.err then return reply end
redis.call('SET', KEYS[3], '', 'PX', ARGV[5])
return reply`;

const DROP_SCRIPT = `${GUARD}return redis.call('UNLINK', KEYS[2])`;

const MARK_PREFIX = 'nearcache:moved:';
/** How long a mark stays. Units: ms. */
export const MARK_MS = 600_000;

/** Move keys from where it is sent, in `db`, as one step; never over a key that is there. Shape: `line` = the record of the source.
 *  Units: ms. Bounds: up to 1000 keys. */
export function migrateArguments(
  line: string,
  db: number,
  target: MoveTarget,
  timeoutMs: number,
  keys: readonly Buffer[],
): Arguments {
  const { host, port, user, password } = target;
  const auth =
    password === undefined ? [] : user === undefined ? ['AUTH', password] : ['AUTH2', user, password];
  // The key as an argument of its own may not be empty, which a key may.
  const migrate = [host, String(port), '', String(db), String(timeoutMs), ...auth, 'KEYS', ...keys];
  return ['EVAL', MIGRATE_SCRIPT, '1', RING_KEY, line, String(db), ...migrate];
}

/** Read a key's value. Shape: answered by NOKEY or [payload, TTL in ms]. */
export function takeArguments(line: string, db: number, key: Buffer): Arguments {
  return ['EVAL', TAKE_SCRIPT, '2', RING_KEY, key, line, String(db)];
}

/** Write it at its new owner, once in a change. Shape: `id` = of the change; answered by OK, or NOKEY when it was written before. */
export function putArguments(
  id: string,
  db: number,
  key: Buffer,
  value: { payload: Buffer; ttlMs: number },
): Arguments {
  const mark = Buffer.concat([Buffer.from(MARK_PREFIX), key]);
  // To RESTORE, 0 is for ever.
  const ttl = value.ttlMs < 0 ? 0 : Math.max(1, value.ttlMs);
  const values = [id, String(db), String(ttl), value.payload, String(MARK_MS)];
  return ['EVAL', PUT_SCRIPT, '3', RING_KEY, key, mark, ...values];
}

/** Delete it at the old one. */
export function dropArguments(line: string, db: number, key: Buffer): Arguments {
  return ['EVAL', DROP_SCRIPT, '2', RING_KEY, key, line, String(db)];
}

/** What became of a move. moved: the key is not at the source. conflict: it is at both. unreachable: the source cannot reach the target.
 *  epoch: the record is another, `text`. */
export interface MoveOutcome {
  readonly kind: 'moved' | 'conflict' | 'unreachable' | 'epoch' | 'refused';
  readonly text: string;
}

export const MOVED: MoveOutcome = { kind: 'moved', text: '' };

/** Read the answer of `migrateArguments`, `putArguments` or `dropArguments`. */
export function moveOutcome(reply: Reply): MoveOutcome {
  const error = typeof reply === 'object' && 'error' in reply ? reply.error : undefined;
  return error === undefined ? MOVED : failedMove(error);
}

/** The same of an error, without its minus sign. */
export function failedMove(error: string): MoveOutcome {
  if (error.startsWith('EPOCH')) return { kind: 'epoch', text: error.slice('EPOCH '.length) };
  if (error.startsWith('IOERR')) return { kind: 'unreachable', text: error };
  return { kind: error.includes('BUSYKEY') ? 'conflict' : 'refused', text: error };
}
