import type { CommandDescription, Override } from './spec.ts';

/** `subcommandsOf('client', 'id list')` = ['client|id', 'client|list']. */
function subcommandsOf(container: string, names: string): readonly string[] {
  return names.split(' ').map((name) => `${container}|${name}`);
}

/** Where a command runs, when it is not the shared connection. */
const places: readonly Override[] = [
  {
    commands: ['auth', 'hello', 'select', 'reset', 'quit', 'ping', 'echo'],
    set: { place: 'session' },
    reason: 'The session holds this state, or can answer without asking Redis.',
  },
  {
    commands: ['multi', 'exec', 'discard', 'watch', 'unwatch'],
    set: { place: 'session' },
    reason: 'The session decides how a transaction travels.',
  },
  {
    commands: [
      ...subcommandsOf(
        'client',
        'caching getname getredir help id info kill list no-evict pause reply setname',
      ),
      ...subcommandsOf('client', 'tracking trackinginfo unblock unpause'),
    ],
    set: { place: 'session' },
    reason: 'Speaks of client connections: the app means its own, not those to Redis (coherence spec R17).',
  },
  {
    commands: ['client'],
    set: { place: 'session', keyAccess: 'none' },
    reason:
      'A newer CLIENT subcommand speaks of the connection too; SETINFO is sent by most clients at connect.',
  },
  {
    commands: ['nearcache.getlease', 'nearcache.setlease'],
    set: { place: 'session' },
    reason: 'A command of nearcache itself; Redis does not know it.',
  },
  {
    commands: ['command'],
    set: { place: 'shared', keyAccess: 'none' },
    reason: 'A command of its own, not only a container; no subcommand touches a key.',
  },
  {
    commands: ['subscribe', 'unsubscribe', 'psubscribe', 'punsubscribe', 'ssubscribe', 'sunsubscribe'],
    set: { place: 'subscribe' },
    reason: 'Changes the subscriptions of the session.',
  },
  {
    commands: ['script|kill', 'function|kill', 'function|stats'],
    set: { place: 'control' },
    reason: 'Must be answered while a script holds the server, so it cannot queue behind that script.',
  },
  {
    commands: ['sync', 'psync', 'replconf'],
    set: { place: 'refused' },
    reason: 'Would turn the connection into a replication link, which is no request and reply.',
  },
  {
    commands: ['monitor'],
    set: { place: 'sticky' },
    reason: 'Turns the connection into a stream of lines.',
  },
  {
    commands: ['asking', 'readonly', 'readwrite', 'script|debug'],
    set: { place: 'sticky' },
    reason:
      'Leaves state on the connection that later commands of this session need and others must not meet.',
  },
  {
    commands: ['wait'],
    set: { place: 'pinned', isBlocking: true },
    reason: 'Blocks, though not flagged so, and takes the offset of the last command on its own connection.',
  },
  {
    commands: ['xread', 'xreadgroup'],
    set: { place: 'shared' },
    reason: 'Blocks only with the BLOCK option; such a call runs pinned (mayBlock).',
  },
  {
    commands: ['shutdown'],
    set: { place: 'pinned' },
    reason: 'Blocks its connection for up to shutdown-timeout while replicas catch up.',
  },
  {
    commands: ['replicaof', 'slaveof', 'failover'],
    set: { place: 'pinned' },
    reason: 'Changes what the server is; no reply of other sessions should hang on the link that does it.',
  },
  {
    commands: ['debug'],
    set: { place: 'pinned' },
    reason: 'DEBUG PROTOCOL answers by protocol version, DEBUG SLEEP and SEGFAULT would take others along.',
  },
  {
    commands: ['restore-asking', 'pfselftest'],
    set: { place: 'pinned' },
    reason: 'Internal commands; their replies were not compared between RESP2 and RESP3.',
  },
  {
    commands: ['module|load', 'module|loadex', 'module|unload'],
    set: { place: 'pinned' },
    reason: 'Runs foreign code on this connection.',
  },
];

/** What a command may change beyond the keys it names. */
const reach: readonly Override[] = [
  {
    commands: ['eval', 'evalsha', 'fcall'],
    set: { keyAccess: 'unknown' },
    reason: 'A script may write keys that it does not declare.',
  },
  {
    commands: ['migrate', 'restore-asking', 'debug', 'module|load', 'module|loadex', 'module|unload'],
    set: { keyAccess: 'unknown' },
    reason: 'May change more than the keys it names (coherence spec §6.3).',
  },
  {
    commands: ['flushall', 'flushdb'],
    set: { flushesAll: true },
    reason: 'Removes keys of a whole database; an invalidation names no database, so all go.',
  },
  {
    commands: ['swapdb'],
    set: { flushesAll: true },
    reason: 'Exchanges two databases and sends no invalidation at all.',
  },
  {
    commands: ['debug'],
    set: { flushesAll: true },
    reason: 'The table does not look at its argument; RELOAD, LOADAOF and POPULATE replace data.',
  },
  {
    commands: ['replicaof', 'slaveof', 'failover', 'shutdown'],
    set: { flushesAll: true },
    reason: 'Another data set may follow.',
  },
  {
    commands: [
      ...subcommandsOf(
        'cluster',
        'addslots addslotsrange bumpepoch delslots delslotsrange failover flushslots',
      ),
      ...subcommandsOf('cluster', 'forget meet replicate reset set-config-epoch setslot'),
    ],
    set: { flushesAll: true },
    reason:
      'Changes which node owns which slot, and a slot that leaves sends no invalidation for absent keys.',
  },
  {
    commands: ['acl|setuser', 'acl|deluser', 'acl|load'],
    set: { flushesAll: true },
    reason: 'May take away the right to read what is cached; the server pushes nothing.',
  },
];

/** Commands that may honestly take longer than the ordinary time-out. */
const slow: readonly Override[] = [
  {
    commands: ['eval', 'evalsha', 'fcall', 'eval_ro', 'evalsha_ro', 'fcall_ro'],
    set: { isSlow: true },
    reason: 'A script runs as long as it likes.',
  },
  {
    commands: ['keys', 'flushall', 'flushdb'],
    set: { isSlow: true },
    reason: 'Walks a whole database.',
  },
  {
    commands: [
      'save',
      'bgsave',
      'bgrewriteaof',
      'shutdown',
      'debug',
      'pfselftest',
      'module|load',
      'module|loadex',
    ],
    set: { isSlow: true },
    reason: 'Saves, forks, loads or tests: seconds on a large data set.',
  },
  {
    commands: ['script|flush', 'function|flush', 'function|restore', 'cluster|reset'],
    set: { isSlow: true },
    reason: 'Frees or compiles everything of its kind at once.',
  },
  {
    commands: ['migrate', 'restore', 'restore-asking', 'dump'],
    set: { isSlow: true },
    reason: 'Serializes whole values of any size; MIGRATE waits for another server too.',
  },
  {
    commands: subcommandsOf('memory', 'doctor malloc-stats purge stats usage'),
    set: { isSlow: true },
    reason: 'Walks the allocator, or with SAMPLES 0 a whole value.',
  },
  {
    commands: [
      ...'sort sort_ro lcs sinter sinterstore sintercard sunion sunionstore sdiff sdiffstore'.split(' '),
      ...'zinter zinterstore zintercard zunion zunionstore zdiff zdiffstore'.split(' '),
    ],
    set: { isSlow: true },
    reason: 'Cost grows faster than its reply: sorting, joins of several values, O(n·m) for LCS.',
  },
];

/** The allow-list of coherence spec §7. What is not here is never cached, whatever its flags say. */
const cacheable: readonly Override[] = [
  {
    commands: [
      ...'get getrange substr strlen getbit bitcount bitpos bitfield_ro type expiretime pexpiretime'.split(
        ' ',
      ),
      ...'hget hmget hgetall hkeys hvals hlen hexists hstrlen lrange lindex llen lpos'.split(' '),
      ...'smembers sismember smismember scard zscore zmscore zcard zcount zlexcount zrank zrevrank'.split(
        ' ',
      ),
      ...'zrange zrevrange zrangebyscore zrevrangebyscore zrangebylex zrevrangebylex'.split(' '),
      ...'geopos geodist geohash geosearch georadius_ro georadiusbymember_ro xrange xrevrange xlen'.split(
        ' ',
      ),
    ],
    set: { cacheClass: 'A' },
    reason: 'Depends on one named key only, which the server tracks.',
  },
  {
    commands: ['mget', 'exists'],
    set: { cacheClass: 'B' },
    reason: 'Splits into one answer a key.',
  },
  {
    commands: 'sinter sunion sdiff sintercard zinter zunion zdiff zintercard lcs pfcount'.split(' '),
    set: { cacheClass: 'C' },
    reason: 'Depends on several named keys.',
  },
  {
    commands: ['sort_ro'],
    set: { cacheClass: 'D' },
    reason:
      'Without BY and GET patterns it depends on its key only; a pattern reads keys that nobody tracks.',
  },
];

/** All corrections, later rows winning. A row that changes nothing fails a test. */
export const overrides: readonly Override[] = [...places, ...reach, ...slow, ...cacheable];

/** Readonly commands that are never cached, and why. With the allow-list it must cover every readonly command of the
 *  table: a command that a newer server brings fails a test until someone has decided. */
export const neverCached: ReadonlyMap<string, string> = new Map(
  [
    { commands: 'ttl pttl', reason: 'Changes with time alone.' },
    { commands: 'randomkey srandmember hrandfield zrandmember', reason: 'Random on purpose.' },
    { commands: 'scan hscan sscan zscan', reason: 'A cursor is valid for one walk.' },
    { commands: 'keys dbsize', reason: 'Depends on all keys.' },
    { commands: 'touch', reason: 'Changes the access time of its keys, though flagged readonly.' },
    {
      commands: 'object|encoding object|freq object|idletime object|refcount memory|usage dump',
      reason: 'Internal state that changes without an invalidation.',
    },
    {
      commands: 'xread xpending xinfo|stream xinfo|groups xinfo|consumers',
      reason: 'Consumer groups change without an invalidation; XREAD may block.',
    },
    { commands: 'eval_ro evalsha_ro fcall_ro', reason: 'May read keys that it does not declare.' },
    { commands: 'lolwut', reason: 'Names no key.' },
  ].flatMap(({ commands, reason }) => commands.split(' ').map((name) => [name, reason] as const)),
);

/** Commands newer than the described server that must not be taken for unknown ones. Reasons:
 *  WAITAOF: an unknown command gets the ordinary time-out, but this one may wait for ever. */
export const laterCommands: readonly CommandDescription[] = [
  { name: 'waitaof', arity: 4, since: '7.2.0', flags: ['blocking', 'noscript'] },
];

/** Commands that nearcache adds (docs/decisions/0005). */
export const ownCommands: readonly CommandDescription[] = [
  {
    name: 'nearcache.getlease',
    arity: 2,
    since: '',
    group: 'string',
    flags: [],
    keySpecs: [{ access: 'RO', index: 1, lastkey: 0, keystep: 1, limit: 0 }],
  },
  {
    name: 'nearcache.setlease',
    arity: -4,
    since: '',
    group: 'string',
    flags: ['write'],
    keySpecs: [{ access: 'OW', index: 1, lastkey: 0, keystep: 1, limit: 0 }],
  },
];
