import { childFrames } from '../support/frame-reader.ts';
import { textOf, type Argument } from '../support/raw-client.ts';
import type { TopologyKind } from '../support/topologies.ts';
import { masked } from './differences.ts';

/** How an answer is judged that cannot be byte-equal to that of one Redis. */
export type Judgement =
  /** nearcache refuses it with such an error; it is not sent to the one Redis, so that both go on alike. */
  | { readonly kind: 'refused'; readonly error: RegExp }
  /** Both answer; nearcache's answer looks like this. */
  | { readonly kind: 'answers'; readonly like: RegExp }
  /** The same elements in any order, but for what matches. */
  | { readonly kind: 'set'; readonly but?: RegExp }
  /** Equal when what matches is left out. */
  | { readonly kind: 'masked'; readonly pattern: RegExp };

/** One kind of answer that differs. */
export interface Apart {
  readonly on: readonly TopologyKind[];
  /** Commands and subcommands, lower case, a subcommand as `client|id`. */
  readonly commands: readonly string[];
  /** Only calls whose arguments match, each joined by a space; all when left out. */
  readonly when?: RegExp;
  readonly reason: string;
  readonly judged: Judgement;
}

const several: readonly TopologyKind[] = ['ring', 'cluster'];

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function refused(
  on: readonly TopologyKind[],
  commands: string,
  reason: string,
  error: RegExp,
  when?: RegExp,
): Apart {
  const row = { on, commands: words(commands), reason, judged: { kind: 'refused', error } } as const;
  return when === undefined ? row : { ...row, when };
}

const changingClusters =
  'cluster|addslots cluster|addslotsrange cluster|delslots cluster|delslotsrange cluster|saveconfig ' +
  'cluster|set-config-epoch cluster|setslot';

const unsupported = /^-ERR nearcache: '.*' is not supported through nearcache: /;

/** The only table of what is otherwise over several shards than at one Redis (and behind Sentinels than at one Redis alone). The
 *  first row that fits a call judges it; without one the answer is compared byte by byte. */
export const apart: readonly Apart[] = [
  refused(
    several,
    'sync psync replconf replicaof slaveof failover shutdown',
    'changes what one server is, or follows it',
    unsupported,
  ),
  refused(several, 'monitor', 'the streams of several shards have no common order', unsupported),
  refused(
    several,
    'client|tracking client|caching',
    'the keys of one connection would be tracked on several shards',
    unsupported,
  ),
  refused(several, 'script|debug', 'the debugger belongs to a connection to one server', unsupported),
  refused(
    several,
    'sort sort_ro',
    'keys that BY and GET make may be on other shards',
    unsupported,
    / (by|get) /i,
  ),
  refused(several, 'asking readonly readwrite', 'nearcache chooses the node', unsupported),
  refused(
    several,
    `${changingClusters} cluster|bumpepoch cluster|failover cluster|flushslots cluster|forget cluster|meet
     cluster|replicate cluster|reset`,
    'changes one node of a Cluster',
    unsupported,
  ),
  refused(
    ['cluster'],
    'select move swapdb copy eval eval_ro',
    'a Cluster has one database',
    /^-(ERR .*(not allowed in cluster mode|wrong number|not an integer|out of range|in this context)|NOPERM )/,
    /^(select (?!0$)|move( |$)|swapdb( |$)|copy .* db |eval.* redis\.call\("select")/i,
  ),
  {
    on: ['cluster'],
    commands:
      words(`cluster|info cluster|keyslot cluster|slots cluster|nodes cluster|shards cluster|links cluster|myid
      cluster|replicas cluster|slaves cluster|count-failure-reports cluster|countkeysinslot cluster|getkeysinslot
      cluster|help`),
    reason: 'there is a Cluster, which answers',
    judged: { kind: 'answers', like: /^(?!-ERR This instance has cluster support disabled)/ },
  },
  {
    on: ['cluster'],
    commands: ['hello'],
    reason: 'the mode is cluster',
    judged: { kind: 'masked', pattern: /\$10\r\nstandalone|\$7\r\ncluster/ },
  },
  {
    on: ['cluster'],
    commands: ['memory|usage'],
    reason: 'a node links the keys of a slot, which takes 16 bytes',
    judged: { kind: 'masked', pattern: /^:\d+/ },
  },
  {
    on: several,
    commands: words(
      'smembers sinter sunion sdiff sscan hgetall hkeys hvals command acl|cat function|list latency|histogram ' +
        'pubsub|channels pubsub|shardchannels',
    ),
    reason: 'the order is that of a hash table, whose seed each server has for itself',
    judged: { kind: 'set' },
  },
  {
    on: several,
    commands: words('keys slowlog|get'),
    reason: 'the order is that of the shards, or of the same millisecond',
    judged: { kind: 'set' },
  },
  {
    on: several,
    commands: ['config|get'],
    reason: 'each server has its own port and folder, and the order of a hash table',
    judged: {
      kind: 'set',
      but: /(?<=\r\n(port|dir|pidfile|cluster-[a-z-]+|repl-diskless-sync-delay)\r\n)\$\d+\r\n[^\r]*/g,
    },
  },
  {
    on: several,
    commands: ['info'],
    reason: 'a section of nearcache lists the shards',
    judged: { kind: 'masked', pattern: /\r\n# Shards\r\n(shard\d+:~\r\n)+/ },
  },
  {
    on: several,
    commands: ['acl|log'],
    reason: 'each shard has refused something of the connections that nearcache has to it',
    judged: { kind: 'answers', like: /^(\*\d+\r\n|\+OK|-ERR )/ },
  },
  {
    on: ['sentinel'],
    commands: ['role'],
    reason: 'what has been replicated is more each time',
    judged: { kind: 'masked', pattern: /:\d+|(?<=\n)\d+(?=\r\n)/g },
  },
  {
    on: ['sentinel'],
    commands: ['client|list', 'client|kill'],
    when: / type pubsub/i,
    reason: 'Sentinels are subscribers of Redis, not of nearcache',
    judged: { kind: 'answers', like: /^([$=:]|\+QUEUED)/ },
  },
  {
    on: several,
    commands: ['scan'],
    reason: 'one answer is of one shard; a test of its own scans all',
    judged: { kind: 'answers', like: /^(\*2\r\n\$|-ERR )/ },
  },
];

/** What runs on every shard cannot be part of a transaction, which runs on one. */
export const unqueued: ReadonlySet<string> = new Set(
  words(`select dbsize keys scan randomkey flushall flushdb swapdb script|load script|flush script|exists script|kill
    function|load function|delete function|flush function|restore function|kill module|load module|loadex module|unload
    pubsub|channels pubsub|numsub pubsub|numpat pubsub|shardchannels pubsub|shardnumsub client|pause client|unpause wait
    info acl|setuser acl|deluser acl|load acl|save acl|log config|set config|resetstat config|rewrite
    slowlog|get slowlog|len slowlog|reset memory|purge latency|reset latency|latest latency|history latency|histogram
    save bgsave bgrewriteaof lastsave cluster|countkeysinslot cluster|getkeysinslot subscribe psubscribe ssubscribe`),
);

/** A case that cannot be run so. */
export interface Unfit {
  readonly on: readonly TopologyKind[];
  readonly title: string;
  readonly reason: string;
}

export const unfit: readonly Unfit[] = [
  { on: ['sentinel'], title: 'FAILOVER', reason: 'there is a replica, and so it would begin' },
  {
    on: ['cluster'],
    title: 'MSET and MSETNX without a value',
    reason: 'a node looks at the slots of the keys before it counts the arguments',
  },
  { on: several, title: 'SAVE inside a transaction', reason: 'refused in other words' },
  {
    on: several,
    title: 'SELECT inside a transaction',
    reason: 'SELECT concerns all shards, a transaction one',
  },
  { on: several, title: 'a script that flushes', reason: 'a script sees its shard alone' },
  { on: several, title: 'CLIENT UNBLOCK of WAIT', reason: 'WAIT blocks on all shards' },
  {
    on: ['sentinel'],
    title: 'CLIENT UNBLOCK of WAIT',
    reason: 'a replica may have taken over what was written',
  },
  { on: several, title: 'SUBSCRIBE inside a transaction', reason: 'refused: it would run on one shard' },
  {
    on: ['cluster'],
    title: 'keyspace notifications',
    reason: 'a node tells of its own keys alone, and only the home node is listened to',
  },
  { on: several, title: 'CLIENT TRACKING in RESP3', reason: 'CLIENT TRACKING is refused' },
  {
    on: several,
    title: 'CLIENT TRACKING in RESP2 redirects to a subscriber',
    reason: 'CLIENT TRACKING is refused',
  },
  {
    on: ['ring', 'cluster', 'sentinel'],
    title: 'a value of 64 MB',
    reason: 'takes long; the value of 1 MiB passes in the same way',
  },
];

/** Commands without a success in both protocols. */
export interface Unseen {
  readonly commands: readonly string[];
  readonly reason: string;
}

const inOneForm = 'runs in RESP2 alone, since its answer has no other form and it takes long';

const aboutClusters =
  words(`cluster|info cluster|keyslot cluster|slots cluster|nodes cluster|shards cluster|myid
  cluster|countkeysinslot cluster|getkeysinslot cluster|help`);

/** What a topology has no success of, beyond what is refused there and what one Redis has none of (exceptions.ts). */
export const unseen: Readonly<Record<TopologyKind, readonly Unseen[]>> = {
  ring: [
    { commands: words('save bgsave bgrewriteaof latency|graph pfselftest'), reason: inOneForm },
    { commands: aboutClusters, reason: 'a ring is no Cluster, and the servers say so' },
  ],
  cluster: [{ commands: words('save bgsave bgrewriteaof latency|graph pfselftest'), reason: inOneForm }],
  sentinel: [
    { commands: words('save bgsave bgrewriteaof latency|graph pfselftest'), reason: inOneForm },
    { commands: ['client|caching'], reason: 'tracking has a meaning in RESP3 only' },
    { commands: ['replconf'], reason: 'nearcache refuses it' },
    { commands: words('asking readonly readwrite'), reason: 'one server is no Cluster, and says so' },
    {
      commands: [...aboutClusters, ...words(changingClusters)],
      reason: 'one server is no Cluster, and says so',
    },
  ],
};

/** The row that judges this call, if any. */
export function rowFor(kind: TopologyKind, args: readonly Argument[]): Apart | undefined {
  const texts = args.slice(0, 8).map((arg) => textOf(arg));
  const [name, sub] = namesOf(args);
  return apart.find(
    ({ on, commands, when }) =>
      on.includes(kind) &&
      (commands.includes(name) || commands.includes(sub)) &&
      (when?.test(texts.join(' ')) ?? true),
  );
}

/** A command as this table names it. */
export function namesOf(args: readonly Argument[]): readonly [string, string] {
  const [name = '', sub = ''] = args.slice(0, 2).map((arg) => textOf(arg).toLowerCase());
  return [name, `${name}|${sub}`];
}

/** Stands for any answer that looks as it should. */
export const answered: Buffer = Buffer.from('~');

/** The reply as it is compared. */
export function maskedApart(kind: TopologyKind, args: readonly Argument[], frame: Buffer): Buffer {
  const usual = masked(args, frame);
  const judged = rowFor(kind, args)?.judged;
  if (judged?.kind === 'answers') return judged.like.test(frame.toString('latin1')) ? answered : usual;
  if (judged?.kind === 'masked') return replaced(usual, judged.pattern, '');
  if (judged?.kind !== 'set') return usual;
  // What takes its place has to be a frame, too.
  return sorted(judged.but === undefined ? usual : replaced(usual, judged.but, '+~'));
}

function replaced(frame: Buffer, pattern: RegExp, by: string): Buffer {
  return Buffer.from(frame.toString('latin1').replace(pattern, by), 'latin1');
}

/** An aggregate with its elements in an order of their own, at every depth. */
function sorted(frame: Buffer): Buffer {
  const children = childFrames(frame);
  if (children.length === 0) return frame;
  const head = frame.subarray(0, frame.indexOf('\n') + 1);
  return Buffer.concat([head, ...children.map(sorted).toSorted((a, b) => a.compare(b))]);
}
