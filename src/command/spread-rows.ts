import type { MergeRule, Spread, SpreadRow } from './spread.ts';

function row(commands: string, spread: Spread, reason: string): SpreadRow {
  return { commands: commands.split(' '), spread, reason };
}

/** On every shard, over the shared connections. */
function all(commands: string, merge: MergeRule, reason: string): SpreadRow {
  return row(commands, { kind: 'all', link: 'shared', merge }, reason);
}

function home(commands: string, reason: string): SpreadRow {
  return row(commands, { kind: 'home' }, reason);
}

function session(commands: string, reason: string): SpreadRow {
  return row(commands, { kind: 'session' }, reason);
}

function refuse(commands: string, reason: string): SpreadRow {
  return row(commands, { kind: 'refused', reason }, reason);
}

/** Commands with keys that need a decision or an explanation. */
const withKeys: readonly SpreadRow[] = [
  row('mget', { kind: 'split', step: 1, merge: 'request-order' }, 'Each value is read alone.'),
  row(
    'mset',
    { kind: 'split', step: 2, merge: 'same' },
    'Atomic on each shard only; if one shard fails, the others have their part.',
  ),
  row(
    'del unlink exists touch',
    { kind: 'split', step: 1, merge: 'sum' },
    'Counts keys, each of which is on one shard; if one shard fails, the others have done their part.',
  ),
  row('msetnx', { kind: 'keys' }, 'Sets all or none, which no two shards can promise together.'),
  row(
    'sort sort_ro',
    { kind: 'keys' },
    'With a BY or GET pattern it reads keys that may be anywhere; refused then, as in a Cluster.',
  ),
  row(
    'eval eval_ro evalsha evalsha_ro fcall fcall_ro',
    { kind: 'keys' },
    'A script runs where its declared keys are and sees nothing of other shards; without keys it runs on the home shard.',
  ),
  row('watch', { kind: 'keys' }, 'What is watched and what EXEC runs must be on one shard.'),
];

const keyspace: readonly SpreadRow[] = [
  all('dbsize', 'sum', 'Each shard has keys of its own.'),
  all('keys', 'concat', 'Each shard has keys of its own.'),
  row('scan', { kind: 'scan' }, 'The cursor of one shard means nothing to another.'),
  all('randomkey', 'any-not-nil', 'All shards are equally likely, whatever they hold.'),
  all('flushall flushdb swapdb', 'same', 'A database is spread over all shards; not done at one moment.'),
  all('cluster|countkeysinslot', 'sum', 'Only the owner of a slot has keys in it.'),
  all('cluster|getkeysinslot', 'concat', 'Only the owner of a slot has keys in it.'),
];

const scripts: readonly SpreadRow[] = [
  all(
    'script|load script|flush function|load function|delete function|flush function|restore',
    'same',
    'A call runs on the shard of its keys, so all must know the script.',
  ),
  all('script|exists', 'min-each', 'A script is there when every shard has it.'),
  row(
    'script|kill function|kill',
    { kind: 'all', link: 'control', merge: 'any-ok' },
    'Nobody says on which shard the script runs.',
  ),
  home('function|list function|dump function|stats', 'All shards have the same functions.'),
  row(
    'module|load module|loadex module|unload',
    { kind: 'all', link: 'pinned', merge: 'same' },
    'A command runs on the shard of its keys, so all must know it.',
  ),
];

const channels: readonly SpreadRow[] = [
  row(
    'publish',
    { kind: 'channel', isClusterWide: true },
    'Goes where the subscribers of a ring are; a Cluster carries it to every node by itself.',
  ),
  row(
    'spublish',
    { kind: 'channel', isClusterWide: false },
    'Goes where its subscribers are, in a Cluster the shard of its slot.',
  ),
  session(
    'subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe',
    'Over a ring a channel is subscribed on its shard, a pattern on all; in a Cluster any one node will do, but for sharded channels.',
  ),
  all('pubsub|channels pubsub|shardchannels', 'union', 'Each shard knows its own subscribers.'),
  all('pubsub|numsub pubsub|shardnumsub', 'sum-each', 'Each shard knows its own subscribers.'),
  all('pubsub|numpat', 'max', 'Over a ring a pattern is subscribed on every shard, and is still one.'),
];

const connections: readonly SpreadRow[] = [
  row(
    'select',
    { kind: 'all', link: 'control', merge: 'same' },
    'The session keeps the number; its next command may go to any shard, so all must have it.',
  ),
  session('auth hello reset quit', 'Who is connected, and how, is the same for all shards.'),
  session('multi exec discard unwatch', 'A transaction runs on the one shard of all its keys.'),
  session(
    'client|getname client|id client|info client|kill client|list client|reply client|setname client|unblock',
    'Speaks of the sessions of nearcache.',
  ),
  row(
    'client|pause client|unpause',
    { kind: 'all', link: 'control', merge: 'same' },
    'The clients of every shard are meant.',
  ),
  home(
    'client client|getredir client|help client|no-evict client|trackinginfo',
    'Says nothing about data; every shard answers alike.',
  ),
  refuse(
    'client|caching client|tracking',
    'The keys of one connection would have to be tracked on several shards.',
  ),
  row(
    'wait',
    { kind: 'all', link: 'pinned', merge: 'min' },
    'The writes of a session may be on any shard; the least replicated counts.',
  ),
  row(
    'waitaof',
    { kind: 'all', link: 'pinned', merge: 'min-each' },
    'The writes of a session may be on any shard; the least safe counts.',
  ),
];

/** One server answers: all answer alike, or the answer is about one server. */
const answeredByOne: readonly SpreadRow[] = [
  home(
    'time lolwut pfselftest command command|count command|docs command|getkeys command|getkeysandflags ' +
      'command|info command|list',
    'Says nothing about data.',
  ),
  home('echo ping', 'Answered by nearcache, for users of their own by Redis.'),
  home(
    'acl|help cluster|help command|help config|help function|help latency|help memory|help module|help object|help ' +
      'pubsub|help script|help slowlog|help xgroup|help xinfo|help',
    'Every shard has the same text.',
  ),
  home(
    'acl|cat acl|dryrun acl|genpass acl|getuser acl|list acl|users acl|whoami config|get module|list',
    'What is set, is set on all shards.',
  ),
  home(
    'role memory|doctor memory|malloc-stats memory|stats latency|doctor latency|graph debug',
    'About one server; INFO has all shards.',
  ),
  home(
    'cluster|count-failure-reports cluster|info cluster|keyslot cluster|links cluster|myid cluster|nodes ' +
      'cluster|replicas cluster|shards cluster|slaves cluster|slots',
    'Every node knows the Cluster; a ring has none, and Redis says so itself.',
  ),
];

const operation: readonly SpreadRow[] = [
  all(
    'info',
    'info',
    'Counters are added up, what is about one server comes from the home shard, and a section `# Shards` lists all.',
  ),
  all(
    'acl|setuser acl|load acl|save config|set config|resetstat config|rewrite',
    'same',
    'Shards must not differ in what they allow and how they work.',
  ),
  all('acl|deluser', 'max', 'Shards must not differ in what they allow.'),
  all('acl|log', 'newest', 'Each shard logs what it refused.'),
  all('slowlog|get', 'newest', 'Each shard has its own log; ids may repeat.'),
  all('slowlog|len', 'sum', 'Each shard has its own log.'),
  all('slowlog|reset memory|purge', 'same', 'Each shard has its own.'),
  all('latency|reset', 'sum', 'Each shard has events of its own.'),
  all('latency|latest', 'latency-latest', 'Each shard has events of its own.'),
  all('latency|history', 'latency-history', 'Each shard has events of its own.'),
  all('latency|histogram', 'latency-histogram', 'Each shard counts its own calls.'),
  all('save bgsave bgrewriteaof', 'first', 'Each shard saves its own keys, some perhaps later than others.'),
  all('lastsave', 'min', 'By then everything was saved.'),
];

const refused: readonly SpreadRow[] = [
  refuse('sync psync replconf', 'A replica follows one server, so it must connect to that server.'),
  refuse('replicaof slaveof failover shutdown', 'Changes what one server is; connect to that server.'),
  refuse(
    'cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|delslots cluster|delslotsrange ' +
      'cluster|failover cluster|flushslots cluster|forget cluster|meet cluster|replicate cluster|reset ' +
      'cluster|saveconfig cluster|set-config-epoch cluster|setslot',
    'Changes one node of a Cluster; connect to that node.',
  ),
  refuse('monitor', 'The streams of several shards have no common order; connect to one of them.'),
  refuse('script|debug', 'The debugger belongs to a connection to one server; connect to that server.'),
  refuse(
    'asking readonly readwrite',
    'Which node gets a command is for nearcache to choose, and redirections are followed.',
  ),
];

/** Containers: what is met here is a subcommand that the table does not have. */
const newer: readonly SpreadRow[] = [
  row(
    'acl cluster config function latency memory module object pubsub script slowlog xgroup xinfo',
    { kind: 'unknown' },
    'Only a newer server knows such a subcommand, and what it is about.',
  ),
];

/** Every decision, each command in one row at most. A command without keys must be in one: what a newer server brings
 *  fails a test until someone has decided. */
export const spreadRows: readonly SpreadRow[] = [
  ...withKeys,
  ...keyspace,
  ...scripts,
  ...channels,
  ...connections,
  ...answeredByOne,
  ...operation,
  ...refused,
  ...newer,
];
