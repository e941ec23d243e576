import { count, duration, type OptionKey, type OptionRows, size } from './option.ts';
import { GB, HOUR, KB, MB, MINUTE } from './units.ts';

type TimeKey =
  | 'connectTimeoutMs'
  | 'commandTimeoutMs'
  | 'slowCommandTimeoutMs'
  | Extract<OptionKey, `reconnect${string}`>
  | 'blockingGraceMs'
  | 'linkDeadMs'
  | 'pinnedIdleMs';
type LimitKey =
  | Exclude<Extract<OptionKey, `${string}Max` | `${string}InFlight`>, TimeKey | 'hotKeysMax'>
  | 'bigValueBytes'
  | 'bulkBytes'
  | 'inlineBytes'
  | 'outputBytes'
  | 'clientSendBufferBytes';

/** How long things may take. */
export const times: Pick<OptionRows, TimeKey> = {
  connectTimeoutMs: duration({
    flag: 'connect-timeout',
    initial: '1s',
    min: 10,
    max: MINUTE,
    help: 'Time for a connection to Redis to be usable, TLS and AUTH included',
  }),
  commandTimeoutMs: duration({
    flag: 'command-timeout',
    initial: '5s',
    min: 10,
    max: HOUR,
    help: 'Time for the reply to a command',
  }),
  slowCommandTimeoutMs: duration({
    flag: 'slow-command-timeout',
    initial: '60s',
    min: 10,
    max: 24 * HOUR,
    help: 'The same for scripts and for commands that may run long (KEYS, SORT, …)',
  }),
  blockingGraceMs: duration({
    flag: 'blocking-grace',
    initial: '1s',
    min: 10,
    max: MINUTE,
    help: 'Added to the timeout that a blocking command (BLPOP, …) names itself',
  }),
  linkDeadMs: duration({
    flag: 'link-dead-timeout',
    initial: '7s',
    min: 200,
    max: HOUR,
    help: 'A connection to Redis that is silent for so long, though heartbeats are due, is dead',
  }),
  reconnectBaseMs: duration({
    flag: 'reconnect-base',
    initial: '50ms',
    min: 1,
    max: MINUTE,
    help: 'First pause before connecting again; doubles, with jitter',
  }),
  reconnectMaxMs: duration({
    flag: 'reconnect-max',
    initial: '2s',
    min: 1,
    max: HOUR,
    help: 'Longest pause before connecting again',
  }),
  pinnedIdleMs: duration({
    flag: 'pinned-idle-time',
    initial: '30s',
    min: 0,
    max: HOUR,
    help: 'A pinned connection that nobody held for so long is closed',
  }),
};

/** How much there may be of things. */
export const limits: Pick<OptionRows, LimitKey> = {
  bigValueBytes: size({
    flag: 'big-value-size',
    initial: '1mb',
    min: 16 * KB,
    max: 512 * MB,
    help: 'Requests over this stream over a connection of their own',
  }),
  bulkBytes: size({
    flag: 'max-bulk-size',
    initial: '512mb',
    min: MB,
    max: 4 * GB,
    help: 'Longest argument of a command; as proto-max-bulk-len of Redis',
  }),
  argsMax: count({
    flag: 'max-args',
    initial: 1_048_576,
    min: 16,
    max: 2_147_483_647,
    help: 'Most arguments of a command',
  }),
  inlineBytes: size({
    flag: 'max-inline-size',
    initial: '64kb',
    min: KB,
    max: MB,
    help: 'Longest inline (telnet) command',
  }),
  outputBytes: size({
    flag: 'max-output-size',
    initial: '256mb',
    min: MB,
    max: 4 * GB,
    help: 'Replies a session may leave unread before it is closed',
  }),
  clientSendBufferBytes: size({
    flag: 'client-send-buffer',
    initial: '128kb',
    min: 0,
    max: 64 * MB,
    help: 'Replies that the kernel may hold for a session that does not read (SO_SNDBUF: it doubles it for its own needs); 0 = as the kernel likes',
  }),
  sessionInFlight: count({
    flag: 'session-in-flight',
    initial: 4096,
    min: 1,
    max: 100_000,
    help: 'Unanswered commands a session may have before it is no longer read',
  }),
  shardInFlight: count({
    flag: 'shard-in-flight',
    initial: 100_000,
    min: 1,
    max: 10_000_000,
    help: 'Unanswered commands a shard may have before more are refused',
  }),
  clientsMax: count({
    flag: 'max-clients',
    initial: 10_000,
    min: 1,
    max: 1_000_000,
    help: 'Sessions at a time, fewer where the system allows too few open files; more are refused as Redis does',
  }),
  pinnedMax: count({
    flag: 'max-pinned',
    initial: 1000,
    min: 1,
    max: 100_000,
    help: 'Pinned connections to a shard at a time (WATCH, BLPOP, MONITOR, …)',
  }),
  pinnedIdleMax: count({
    flag: 'max-pinned-idle',
    initial: 16,
    min: 0,
    max: 100_000,
    help: 'Pinned connections kept open for the next session that needs one',
  }),
  identitiesMax: count({
    flag: 'max-identities',
    initial: 16,
    min: 0,
    max: 1024,
    help: 'ACL users with a shared connection and a cache of their own; further ones get pinned connections',
  }),
  redirectsMax: count({
    flag: 'redirects-max',
    initial: 5,
    min: 0,
    max: 100,
    help: 'MOVED and ASK of a Cluster that are followed for one command before its error is passed on',
  }),
  followersMax: count({
    flag: 'max-followers',
    initial: 10_000,
    min: 1,
    max: 1_000_000,
    help: 'Reads that may wait for one identical read on its way',
  }),
};
