/** Every error that nearcache itself answers, in one closed list that docs/errors.md is printed from.
 *
 *  Shape: `text` is the reply line without '-' and CRLF; {name} is filled in. A Redis prefix is used only where it
 *  means exactly what Redis means; the rest is `ERR nearcache: …` (DESIGN §7). Errors from Redis pass byte for byte. */
export interface ErrorRow {
  readonly code: ErrorCode;
  readonly text: string;
  readonly cause: string;
  readonly fix: string;
}

export type ErrorCode =
  | 'NOAUTH'
  | 'NOAUTH_EXEC'
  | 'NOAUTH_HELLO'
  | 'NOPROTO'
  | 'SHARD_UNREACHABLE'
  | 'SHARD_REFUSED'
  | 'SHARD_LOST'
  | 'SHARD_TIMEOUT'
  | 'SHARD_BUSY'
  | 'SHARD_AWAY'
  | 'QUEUE_TIMEOUT'
  | 'RATE_LIMIT'
  | 'LOADING'
  | 'PINNED_LIMIT'
  | 'TOKENS_LIMIT'
  | 'NOT_SUPPORTED'
  | 'TOO_BIG_HERE'
  | 'TOO_BIG_TO_PLACE'
  | 'CROSSSLOT'
  | 'NO_OWNER'
  | 'SLOT_MOVED'
  | 'KEY_NOT_MOVED'
  | 'SHARDS_DIFFER'
  | 'CURSOR_TOO_LARGE'
  | 'CLIENTS_LIMIT'
  | 'CLIENTS_MEMORY'
  | 'REQUEST_TIMEOUT'
  | 'DRAINING'
  | 'OUT_OF_STEP';

export const ERRORS: readonly ErrorRow[] = [
  {
    code: 'NOAUTH',
    text: 'NOAUTH Authentication required.',
    cause:
      'Redis asks for a password that nearcache was not given, or `--require-auth` is set, and this connection has not authenticated.',
    fix: 'Send AUTH or HELLO … AUTH, or give nearcache credentials in `--upstream`.',
  },
  {
    code: 'NOAUTH_EXEC',
    text: 'EXECABORT Transaction discarded because of: NOAUTH Authentication required.',
    cause: 'EXEC on a connection that must authenticate; its MULTI was refused already.',
    fix: 'Authenticate first.',
  },
  {
    code: 'NOAUTH_HELLO',
    text: 'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    cause: 'HELLO without AUTH on a connection that must authenticate.',
    fix: 'Send HELLO with its AUTH option.',
  },
  {
    code: 'NOPROTO',
    text: 'NOPROTO unsupported protocol version',
    cause: 'HELLO with a version other than 2 or 3.',
    fix: 'Use RESP2 or RESP3.',
  },
  {
    code: 'SHARD_UNREACHABLE',
    text: 'ERR nearcache: shard {shard} is unreachable ({reason}); the command was not sent, try again',
    cause: 'The connection to Redis is down and being retried with back-off.',
    fix: 'Check that Redis runs at the shard address and that the network lets nearcache reach it; see /readyz on the admin port.',
  },
  {
    code: 'SHARD_REFUSED',
    text: 'ERR nearcache: shard {shard} refused the connection ({reason}); the command was not sent',
    cause: 'Redis answered the handshake with an error, for example wrong credentials.',
    fix: 'Correct the credentials or permissions that the reason names; nearcache retries by itself.',
  },
  {
    code: 'SHARD_LOST',
    text: 'ERR nearcache: shard {shard} was lost ({reason}) before its reply; outcome unknown',
    cause: 'The connection died with the command in flight; a write may or may not have run.',
    fix: 'Read back, or repeat the command only if it is safe to run twice.',
  },
  {
    code: 'SHARD_TIMEOUT',
    text: 'ERR nearcache: shard {shard} did not answer within {ms} ms; outcome unknown',
    cause: 'Redis is slow, blocked or cut off; the command may still run.',
    fix: 'Look at Redis (SLOWLOG, INFO); raise `--command-timeout` or `--slow-command-timeout` if the command is meant to be slow.',
  },
  {
    code: 'SHARD_BUSY',
    text: 'ERR nearcache: shard {shard} has {count} commands in flight, the limit; the command was not sent, try again',
    cause: 'More is sent than Redis answers.',
    fix: 'Lower the load or raise `--shard-in-flight`.',
  },
  {
    code: 'SHARD_AWAY',
    text: 'ERR nearcache: shard {shard} is away ({reason}); the circuit breaker is open and the command was not sent, try again',
    cause:
      'Too many commands to the shard have failed, timed out or were slow; until probes succeed nothing more is sent there.',
    fix: 'Look at Redis and the network to it, and at `nearcache_shard_breaker_state`; nearcache goes on by itself as soon as probes succeed.',
  },
  {
    code: 'QUEUE_TIMEOUT',
    text: 'ERR nearcache: shard {shard} took no more commands for {ms} ms; the command was not sent, try again',
    cause: 'Redis reads more slowly than commands come, or is being warmed up gently after an outage.',
    fix: 'Lower the load, or raise `--queue-timeout` or `--recovery-rate`.',
  },
  {
    code: 'RATE_LIMIT',
    text: 'ERR nearcache: more than {rate} commands a second on keys of policy "{policy}"; the command was not sent, try again later',
    cause: 'The policy of the key has a `rateLimit`.',
    fix: 'Send less, or raise `rateLimit` of the policy (`--rate-limit` for keys of none).',
  },
  {
    code: 'LOADING',
    text: 'LOADING nearcache: Redis has not answered yet, try again',
    cause: '`--startup loading` is set and nearcache has not heard of Redis since it started.',
    fix: 'Wait; clients that know the error of a Redis that loads its data set do so by themselves.',
  },
  {
    code: 'PINNED_LIMIT',
    text: 'ERR nearcache: all {count} pinned connections to shard {shard} are in use; the command was not sent',
    cause: 'Blocking commands, WATCH and split MULTI each hold a connection to Redis.',
    fix: 'Raise `--max-pinned`, or use fewer blocked connections.',
  },
  {
    code: 'TOKENS_LIMIT',
    text: 'ERR nearcache: too many lease tokens of shard {shard} are in use; load without one, or try again',
    cause:
      'Each token of NEARCACHE.GETLEASE that was not used holds a connection to Redis; half of `--max-pinned` may be tokens.',
    fix: 'Use or drop tokens sooner (a token ends with its session), shorten `leaseTtl`, or raise `--max-pinned`.',
  },
  {
    code: 'NOT_SUPPORTED',
    text: "ERR nearcache: '{command}' is not supported through nearcache: {reason}",
    cause: 'The command makes no sense on a proxied connection (replication).',
    fix: 'Connect to Redis directly for it.',
  },
  {
    code: 'TOO_BIG_HERE',
    text: "ERR nearcache: '{command}' is answered by nearcache and may not be larger than {bytes} bytes",
    cause: 'A connection command (AUTH, CLIENT, HELLO …) with huge arguments.',
    fix: 'Send it with smaller arguments, or raise `--big-value-size`.',
  },
  {
    code: 'TOO_BIG_TO_PLACE',
    text: "ERR nearcache: '{command}' is larger than {bytes} bytes and passes through as it comes, which over several shards works only for a command whose one key is in front",
    cause: 'The request is too large to be held, and its shard must be known before all of it is here.',
    fix: 'Send it in smaller pieces, or raise `--big-value-size`.',
  },
  {
    code: 'CROSSSLOT',
    text: "CROSSSLOT Keys in request don't hash to the same slot: '{command}' needs all its keys on one shard, which the same {hash tag} in each makes sure",
    cause:
      'Redis is several shards, and a command, script or transaction that runs as a whole names keys on more than one of them.',
    fix: 'Give keys that are used together a common part in braces: `user:{42}:name` and `user:{42}:cart` are always on one shard.',
  },
  {
    code: 'NO_OWNER',
    text: 'CLUSTERDOWN Hash slot not served: no node of the Cluster has slot {slot}',
    cause: 'Part of the Cluster has failed or slots were taken from a node without an heir.',
    fix: 'Look at CLUSTER NODES; nearcache follows as soon as a node says that it serves the slot.',
  },
  {
    code: 'SLOT_MOVED',
    text: 'ERR nearcache: slot {slot} has moved to another node of the Cluster; nothing of the transaction has run, try again',
    cause: 'A slot was moved, or a node failed, between the beginning of a transaction and its EXEC.',
    fix: 'Repeat the transaction: nearcache knows the new node.',
  },
  {
    code: 'KEY_NOT_MOVED',
    text: 'ERR nearcache: {reason}; the command was not sent, try again',
    cause:
      'The ring is being changed (`nearcache reshard`), and a key of the command cannot be used for the reason given.',
    fix: 'See `nearcache reshard status`; the reason names the shard.',
  },
  {
    code: 'SHARDS_DIFFER',
    text: "ERR nearcache: shards gave replies that do not go together for '{command}'",
    cause:
      'A command ran on several shards, and their replies cannot be made one: they are servers of different kinds or versions.',
    fix: 'Run the same version of Redis, with the same modules, on every shard.',
  },
  {
    code: 'CURSOR_TOO_LARGE',
    text: 'ERR nearcache: the cursor of a shard is too large to scan several shards',
    cause:
      'The cursor of a SCAN names the shard beside its own cursor, which leaves no room for one like this.',
    fix: 'Scan that shard directly.',
  },
  {
    code: 'CLIENTS_LIMIT',
    text: 'ERR max number of clients reached',
    cause:
      'nearcache has as many client connections as `--max-clients`, or the system’s limit of open files, allows; the text is Redis’s.',
    fix: 'Close idle connections, raise `--max-clients`, or `ulimit -n` where a warning at the start names it.',
  },
  {
    code: 'CLIENTS_MEMORY',
    text: 'ERR nearcache: all clients together hold more than {bytes} bytes, this one the most; the connection is closed',
    cause:
      'Requests that are not whole, and replies that were not read, take more memory than `--max-clients-memory`.',
    fix: 'Find the clients that send or read slowly (`omem` of CLIENT LIST), or raise the limit.',
  },
  {
    code: 'REQUEST_TIMEOUT',
    text: 'ERR nearcache: the rest of a request did not come within {ms} ms; the connection is closed',
    cause: 'The client sent a part of a request and then nothing more.',
    fix: 'Look at the client and the network to it, or raise `--request-timeout`.',
  },
  {
    code: 'DRAINING',
    text: 'ERR nearcache: this nearcache is stopping; connect again',
    cause: 'A new connection during drain.',
    fix: 'Reconnect; the supervisor starts a new one.',
  },
  {
    code: 'OUT_OF_STEP',
    text: 'ERR nearcache: shard {shard} sent a reply that does not fit the request; outcome unknown',
    cause:
      'Redis, or something between, broke the protocol; the connection was destroyed so that no reply goes astray.',
    fix: 'Look for a middlebox or a server bug; nearcache reconnects by itself.',
  },
];

const texts = new Map(ERRORS.map((row) => [row.code, row.text]));

/** The reply line of an error, filled in. Shape: `-TEXT\r\n`, without line breaks inside. */
export function errorLine(code: ErrorCode, fields: Record<string, string | number> = {}): Buffer {
  const text = (texts.get(code) as string).replace(/\{(\w+)\}/g, (_, name: string) =>
    String(fields[name] ?? '?'),
  );
  return Buffer.from(`-${text.replace(/[\r\n]+/g, ' ')}\r\n`, 'latin1');
}
