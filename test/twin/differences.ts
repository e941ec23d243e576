import { textOf, type Argument } from '../support/raw-client.ts';

/** One kind of answer that cannot be byte-equal, and what of it is left out of the comparison. */
interface Difference {
  /** Commands and subcommands, lower case, a subcommand as `client|id`. */
  readonly commands: readonly string[];
  /** Only calls whose arguments match, each joined by a space; all when left out. */
  readonly when?: RegExp;
  /** Why two runs cannot agree on it. */
  readonly reason: string;
  /** What is replaced by `~` in the reply's latin1 text. */
  readonly masked: string;
  readonly pattern: RegExp;
  readonly by?: string;
}

/** The only table of what the twin tests do not compare. Everything that is not in it is compared byte by byte. `time`: differs
 *  between any two runs, with or without nearcache. `connection`: tells of the connection, which is another one through
 *  nearcache. */
export const differences: readonly Difference[] = [
  {
    commands: ['ttl', 'pttl'],
    reason: 'time: counts down',
    masked: 'a time to live above 0',
    pattern: /^:[1-9]\d*/,
    by: ':~',
  },
  {
    commands: ['time', 'lastsave', 'expiretime', 'pexpiretime'],
    reason: 'time: a clock',
    masked: 'numbers of 10 digits and more',
    pattern: /\d{10,}|(?<=\n)\d{1,6}(?=\r\n$)|(?<=\n)\$\d(?=\r\n\d{1,6}\r\n$)/g,
  },
  {
    commands: ['object|idletime'],
    reason: 'time: an age in seconds',
    masked: 'the age',
    pattern: /^:\d+/,
    by: ':~',
  },
  {
    commands: ['xadd'],
    when: / \* /,
    reason: 'time: the id is made from the clock',
    masked: 'the id',
    pattern: /\d{13}-\d+/,
  },
  {
    commands: ['xpending', 'xinfo|consumers', 'xinfo|stream'],
    reason: 'time: since or when an entry was delivered',
    masked: 'idle times of entries and consumers, clock times',
    pattern: /(?<=\r\n):\d{1,5}(?=\r\n:\d+\r\n(\*|$))|(?<=idle\r\n):\d+|:\d{13}/g,
    by: ':~',
  },
  {
    commands: ['sync', 'psync', 'replconf'],
    reason: 'nearcache refuses them: they would turn the connection into a replication link',
    masked: 'the whole answer',
    pattern: /^[^]+$/,
  },
  {
    commands: ['client|id'],
    reason: 'connection: its id',
    masked: 'the id',
    pattern: /^:\d+/,
    by: ':~',
  },
  {
    commands: ['hello'],
    reason: 'connection: its id',
    masked: 'the id',
    pattern: /(?<=id\r\n):\d+/,
    by: ':~',
  },
  {
    commands: ['client|info', 'client|list'],
    reason: 'connection: id, address, descriptor, ages, buffers and counters are its own',
    masked: 'all values but name, db, sub, psub, ssub, multi, user, redir and resp',
    pattern:
      /(?<=^|\n)[$=]\d+(?=\r)|(?<=\b(?:id|addr|laddr|fd|age|idle|flags|qbuf|qbuf-free|argv-mem|multi-mem|rbs|rbp|obl|oll|omem|tot-mem|events|cmd)=)\S*/g,
  },
  {
    commands: ['client|list'],
    when: /^client list(?! id)/i,
    reason: 'connection: nearcache lists its own sessions, Redis its connections',
    masked: 'the further lines',
    pattern: /(?<=^[^\n]*\n[^\n]*\n)[^]*(?=\r\n$)/,
    by: '',
  },
  {
    commands: ['client|list'],
    when: /^client list(?! id)/i,
    reason: 'connection: nearcache lists its own sessions, Redis its connections',
    masked: 'all values of the first line',
    pattern: /(?<==)\S*/g,
  },
  {
    commands: ['info'],
    reason: 'time and connection: counters, sizes and ages of a running server',
    masked: 'all values (the names are compared)',
    pattern: /(?<=^|\n)[$=]\d+(?=\r)|(?<=\n[a-z_0-9]+:)[^\r]*/g,
  },
  {
    commands: ['info'],
    reason: 'connection: nearcache asks the server for things of its own',
    masked: 'the lines of commands and errors that have been counted',
    pattern: /(cmdstat|errorstat|latency_percentiles_usec)_[^\n]*\n/g,
    by: '',
  },
  {
    commands: ['memory|stats', 'memory|malloc-stats', 'memory|doctor'],
    reason: 'time: sizes of a running server',
    masked: 'numbers and lengths, and the text of malloc-stats and doctor',
    pattern:
      /(?<=^|\n)[$=]\d+(?=\r)|(?<=\n)[,:]?-?\d+(\.\d+)?(e-?\d+)?(?=\r)|(?<=^~?[$=]\d+\r\n)[^]+(?=\r\n$)/g,
  },
  {
    commands: ['debug'],
    when: /^debug (object|jmap|stringmatch-len|htstats|ziplist|listpack|mallctl)/i,
    reason: 'time: addresses and ages',
    masked: 'address, lru and idle time',
    pattern: /(?<=at:)\S+|(?<=lru:)\d+|(?<=lru_seconds_idle:)\d+/g,
  },
  {
    commands: ['slowlog|get'],
    reason: 'time and connection: ids, clock, duration, address',
    masked: 'numbers and addresses',
    pattern: /(?<=\r\n):\d+|(?<=\n)\$\d+(?=\r\n127\.0\.0\.1)|127\.0\.0\.1:\d+/g,
  },
  {
    commands: ['acl|genpass'],
    reason: 'random',
    masked: 'the password (its length is compared)',
    pattern: /(?<=\n)[0-9a-f]+(?=\r\n$)/,
  },
  {
    commands: ['acl|log'],
    reason: 'connection: what nearcache asks for beside a read (its PTTL) is refused and counted too',
    masked: 'how often',
    pattern: /(?<=count\r\n):\d+/g,
    by: ':~',
  },
  {
    commands: ['acl|log'],
    reason: 'time and connection: age and client-info',
    masked: 'ages and client-info, ids and clock times',
    pattern:
      /(?<=age-seconds\r\n)(\$\d+\r\n)?,?[\d.e-]+|(?<=client-info\r\n)\$\d+\r\n[^\r]*|:\d{13}|(?<=entry-id\r\n):\d+/g,
  },
  {
    commands: ['latency|doctor', 'latency|graph', 'latency|history', 'latency|latest'],
    reason: 'time: measured latencies',
    masked: 'numbers and lengths',
    pattern: /(?<=^|\n)[$=]\d+(?=\r)|\d+/g,
  },
  {
    commands: ['latency|histogram'],
    reason: 'time: measured latencies',
    masked: 'the buckets and the number of calls',
    pattern: /(?<=histogram_usec\r\n)[^]*|:\d+/g,
  },
  {
    commands: ['lolwut'],
    reason: 'random',
    masked: 'the picture',
    pattern: /(?<=^|\n)[$=]\d+(?=\r)|[\x80-\xff]/g,
  },
];

/** The reply as it is compared. */
export function masked(args: readonly Argument[], frame: Buffer): Buffer {
  const words = args.slice(0, 8).map((arg) => textOf(arg));
  const name = (words[0] ?? '').toLowerCase();
  const names = [name, `${name}|${(words[1] ?? '').toLowerCase()}`];
  const applying = differences.filter(
    ({ commands, when }) =>
      names.some((each) => commands.includes(each)) && (when?.test(words.join(' ')) ?? true),
  );
  if (applying.length === 0 || frame.length > 1 << 20) return frame;
  const text = applying.reduce(
    (text, { pattern, by }) => text.replace(pattern, by ?? '~'),
    frame.toString('latin1'),
  );
  return Buffer.from(text, 'latin1');
}
