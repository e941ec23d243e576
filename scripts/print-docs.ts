// Prints the pages of docs/ that follow from tables in src/, so that they cannot disagree with the code.
// `--check` writes nothing and fails with the pages that differ.

import { readFileSync, writeFileSync } from 'node:fs';
import { ERRORS } from '../src/base/errors.ts';
import { ownCommands } from '../src/command/overrides.ts';
import { spreadRows } from '../src/command/spread-rows.ts';
import type { MergeRule, Spread } from '../src/command/spread.ts';
import { allCommands, describedServer } from '../src/command/table.ts';
import { type CommandSpec, packedLength, type Place } from '../src/command/spec.ts';
import type { Option } from '../src/config/option.ts';
import { OPTION_GROUPS, variableOf } from '../src/config/options.ts';
import type { Part } from '../src/config/parts.ts';
import { POLICY_PARTS, type PolicyPart } from '../src/config/policies.ts';
import { RING_PARTS } from '../src/config/ring.ts';
import { configJsonSchema } from '../src/config/schema.ts';
import { SHARD_PARTS } from '../src/config/shards.ts';
import { differences } from '../test/twin/differences.ts';
import { METRIC_GROUPS } from '../src/metrics/catalog.ts';
import { POLICIES_MAX } from '../src/policy/policy-table.ts';

const LINE_WIDTH = 110;
const DOCS = new URL('../docs/', import.meta.url);

const PLACES: Readonly<Record<Place, string>> = {
  shared: 'the shared connection, pipelined with the commands of other sessions',
  session: 'nearcache: the session holds the state that the command reads or changes',
  subscribe: "the session's subscriptions",
  pinned: 'a pinned connection, for this call',
  sticky: 'a pinned connection that the session keeps afterwards',
  control: 'the control connection, since it must not queue behind commands',
  refused: 'nowhere: it would turn the connection into a replication link',
};

const CACHED: Readonly<Record<CommandSpec['cacheClass'], string>> = {
  A: 'yes',
  B: 'yes, key by key',
  C: 'with --cache-multi-key',
  D: 'with --cache-sort, without patterns',
  '': '',
};

const KEY_RULES: Readonly<Record<string, string>> = {
  streams: 'after STREAMS, the first half',
  sort: '1 and after STORE',
  first: '1',
  georadius: '1 and after STORE or STOREDIST',
  migrate: '3 or after KEYS',
};

const MERGES: Readonly<Record<MergeRule, string>> = {
  same: 'the reply, if all gave the same',
  first: 'the first reply',
  sum: 'the sum',
  min: 'the least',
  max: 'the greatest',
  'sum-each': 'the sums, place by place',
  'min-each': 'the least, place by place',
  'request-order': 'the values, in the order of the request',
  concat: 'all elements, shard by shard',
  union: 'all elements, each once',
  'any-ok': 'OK if one says so',
  'any-not-nil': 'one of them, by chance; nil if all are',
  newest: 'the newest entries of all',
  'latency-latest': 'the latest and the worst of each event',
  'latency-history': 'all entries by time',
  'latency-histogram': 'the counts added up',
  info: 'one text',
};

function optionsPage(): string {
  const groups = OPTION_GROUPS.map(({ title, rows }) => {
    const lines = Object.entries(rows).map(([key, option]) => [
      option.isFileOnly === true ? '' : `\`--${option.flag}\``,
      `\`${key}\``,
      defaultOf(option),
      option.help + (option.secret === true ? '. **Secret**: never logged' : ''),
      option.form,
    ]);
    return `## ${title}\n\n${table(['Flag', 'Key in the file', 'Default', 'Meaning', 'Accepted'], lines)}`;
  });
  return page(
    'Options',
    'src/config/options.ts',
    `Every option is a flag, an environment variable and a key of the file, in that order of precedence:
\`--cache-size 64mb\`, \`${variableOf('cache-size')}=64mb\`, \`cacheBytes: 64mb\`. The variable of \`--some-flag\` is
\`${variableOf('some-flag')}\`. The file is named by \`--config\` or \`${variableOf('config')}\` and is YAML or JSON;
\`nearcache config-schema\` prints its [JSON Schema](nearcache.schema.json) for editors.

A mistake stops the start with exit code 2; all mistakes are listed at once, one a line.`,
    [...groups, upstreamPart(), policiesPart()],
  );
}

function upstreamPart(): string {
  const partsTable = (parts: Readonly<Record<string, Part>>): string =>
    table(
      ['Part', 'Meaning', 'Accepted'],
      Object.entries(parts).map(([name, { help, form }]) => [`\`${name}\``, help, form]),
    );
  return `## What is behind nearcache

| URL in \`--upstream\` | is |
| --- | --- |
| \`redis://user:password@host:6379\` | one Redis; \`rediss://\` with TLS |
| \`redis+sentinel://user:password@s1:26379,s2:26379/mymaster\` | the primary that these Sentinels watch as \`mymaster\`. User and password are those of Redis; \`?sentinelUser=…&sentinelPassword=…\` those of the Sentinels. \`rediss+sentinel://\` = TLS to both |
| several of those by commas | a ring: nearcache divides the keys over them |
| \`redis+cluster://user:password@h1:6379,h2:6379\` | a Redis Cluster of which these nodes are asked first; \`rediss+cluster://\` with TLS. It stands alone |

\`@ : / # ? % ,\` and \`&\` in a user, a password or a value of the \`?query\` are percent-encoded. User, password and TLS files of the options
above are for every shard; a user or a password in a URL wins.

A shard of a ring has a name, and the name, not the address, places keys: give it one (\`?name=…\`) that it keeps when it moves
to another host. Without, it is \`host:port\`, as in twemproxy; a shard that is alone is \`shard0\`.

\`\`\`sh
nearcache serve --upstream 'redis://10.0.0.1?name=a,redis://10.0.0.2?name=b&weight=2&replica=10.0.0.3:6379' --ring-hash md5
\`\`\`

In the file a ring may be written as a map. An \`--upstream\` flag or variable takes its place, flags and variables of the ring take the
place of single parts, and \`upstream\` in the same file is a mistake. What is left out is as the option says.

\`\`\`yaml
ring:
  distribution: ketama
  hash: fnv1a_64
  hashTag: "{}"
  shards:
    - { name: a, url: "redis://10.0.0.1" }
    - { name: b, url: "redis+sentinel://s1,s2/b", weight: 2 }
\`\`\`

${partsTable(RING_PARTS)}
Of each shard:

${partsTable(SHARD_PARTS)}`;
}

function policiesPart(): string {
  const lines = Object.entries(POLICY_PARTS as Readonly<Record<string, PolicyPart>>).map(([name, part]) => [
    `\`${name}\``,
    part.general === undefined ? (part.initial ?? '') : `as \`--${part.general}\``,
    part.help,
    part.form,
  ]);
  return `## Policies by key prefix

A policy says how reads of the keys with one prefix are cached; a key falls under the policy with the longest prefix that it
begins with, compared byte by byte, and under the general options when there is none. There may be up to ${POLICIES_MAX - 1}.

As a flag or a variable a policy is written as \`name=value\` parts separated by \`;\`, and several policies are separated by \`,\`
(a comma, semicolon or leading space of a prefix is written as \`\\x2c\`, \`\\x3b\`, \`\\x20\`). Quote it: a shell ends its command
at a \`;\`.

\`\`\`sh
nearcache serve --policy 'prefix=session:;maxTtl=10s' --policy 'prefix=session:admin:;cache=off'
NEARCACHE_POLICY='prefix=session:;maxTtl=10s,prefix=session:admin:;cache=off' nearcache serve
\`\`\`

In the file it is a list of maps. Policies of a flag or a variable take the place of all of those in the file.

\`\`\`yaml
policies:
  - { prefix: "session:", maxTtl: 10s }
  - { prefix: "session:admin:", cache: off }
\`\`\`

${table(['Part', 'Default', 'Meaning', 'Accepted'], lines)}`;
}

function defaultOf({ initial, isSwitch }: Option): string {
  if (isSwitch === true) return 'off';
  return initial === undefined ? '' : `\`${initial}\``;
}

function metricsPage(): string {
  const groups = METRIC_GROUPS.map(({ title, rows }) => {
    const lines = rows.map((row) => [
      `\`${row.name}\``,
      row.kind,
      row.unit,
      row.labels.map((label) => `\`${label}\``).join(', '),
      row.help,
    ]);
    return `## ${title}\n\n${table(['Metric', 'Kind', 'Unit', 'Labels', 'Meaning'], lines)}`;
  });
  return page(
    'Metrics',
    'src/metrics/catalog.ts',
    `Served at \`/metrics\` of the admin address, for Prometheus. Besides these there are the usual \`process_…\` and
\`nodejs_…\` metrics, \`nodejs_eventloop_lag_p99_seconds\` among them. Without a cache (\`--cache-size 0\`) the
\`nearcache_cache_…\` metrics are absent.`,
    groups,
  );
}

function commandsPage(): string {
  const places = Object.entries(PLACES).map(([place, text]) => `- **${place}**: ${text}`);
  const lines = allCommands().map((spec) => [
    `\`${spec.name.toUpperCase().replace('|', ' ')}\``,
    spec.place,
    spec.cacheClass === 'C' && spec.isWrite ? '' : CACHED[spec.cacheClass],
    keysOf(spec),
    spec.reason,
  ]);
  return page(
    'Commands',
    'src/command/table.ts',
    `The ${lines.length - ownCommands.length} commands and subcommands of ${describedServer} and the ${ownCommands.length} of nearcache itself
([how they work](decisions/0005-leases.md)), and what nearcache does with each. A command that is not
here goes to a pinned connection and is never cached; since nearcache cannot know which keys it changes, its reply waits
until every invalidation it caused has been seen. Errors about arity and unknown commands come from Redis, never from this
table.

Where a command runs:

${places.join('\n')}

Keys are numbered as arguments, the command's name (with its subcommand's) not counted.`,
    [table(['Command', 'Runs on', 'Cached', 'Keys', 'Why it is so'], lines), severalShardsPart()],
  );
}

function severalShardsPart(): string {
  const lines = spreadRows
    .flatMap(({ commands, spread, reason }) => commands.map((name) => ({ name, spread, reason })))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, spread, reason }) => [
      `\`${name.toUpperCase().replace('|', ' ')}\``,
      placeOf(spread),
      'merge' in spread ? MERGES[spread.merge] : '',
      reason,
    ]);
  return `## Over several shards

Where Redis is a ring of shards or a Cluster, a command that is not in this list runs on the shard of its keys. If its keys are on
several, the answer is the error \`CROSSSLOT\`, as in a Cluster; keys with the same hash tag (\`{user1}:name\`, \`{user1}:cart\`) are on
one. The home shard is the first one.

If a shard answers an error or none at all, the answer to a command that runs on several is the first such error, in the order of the shards;
what the others did is done. There are two exceptions: one OK is enough for SCRIPT KILL and FUNCTION KILL, and INFO lists the shards that
are down as \`up=0\` and leaves them out of its sums. Shards of different kinds, whose replies do not go together, give an error too.

${table(['Command', 'Runs on', 'The answer is', 'Why it is so'], lines)}`;
}

function placeOf(spread: Spread): string {
  switch (spread.kind) {
    case 'keys':
      return 'the shard of its keys';
    case 'split':
      return 'the shard of each key';
    case 'all':
      return spread.link === 'shared' ? 'all shards' : `all shards, ${spread.link} connections`;
    case 'scan':
      return 'one shard after the other';
    case 'home':
      return 'the home shard';
    case 'channel':
      return spread.isClusterWide
        ? 'the shard of its channel; in a Cluster the home shard'
        : 'the shard of its channel';
    case 'session':
      return 'nearcache, which asks the shards as needed';
    case 'unknown':
      return 'as an unknown command';
    case 'refused':
      return 'nowhere: an error';
  }
}

function keysOf(spec: CommandSpec): string {
  const named = spec.keyRule === '' ? packedKeys(spec) : (KEY_RULES[spec.keyRule] ?? 'by its options');
  if (spec.keyAccess !== 'unknown') return named;
  return named === '' ? 'may change any' : `${named}; may change others`;
}

/** Says what `packKeySpecs` packed. */
function packedKeys(spec: CommandSpec): string {
  const words = spec.name.split('|').length;
  const parts: string[] = [];
  for (let at = 0; at < spec.keySpecs.length; at += packedLength) {
    const [begin = 0, isCounted, where = 0, step = 1] = spec.keySpecs.subarray(at, at + packedLength);
    const first = begin - words + 1;
    if (isCounted === 1) parts.push(`as many as argument ${first + where} says, behind it`);
    else if (where === 0) parts.push(`${first}`);
    else parts.push(`${first} to ${lastOf(first, where)}${step === 1 ? '' : `, every ${step}nd`}`);
  }
  return parts.join(' and ');
}

function lastOf(first: number, where: number): string {
  if (where > 0) return `${first + where}`;
  return where === -1 ? 'the last' : `the last but ${-where - 1}`;
}

function errorsPage(): string {
  const rows = ERRORS.map(
    ({ code, text, cause, fix }) =>
      `## ${code}\n\n\`\`\`text\n${text}\n\`\`\`\n\n${cause}\n\n**What to do:** ${fix}\n`,
  );
  return page(
    'Errors',
    'src/base/errors.ts',
    `Every error that nearcache itself answers; errors from Redis pass byte for byte. Most start with \`ERR nearcache:\`;
another first word is used only where it means exactly what it means in Redis, since clients act on it. \`{…}\` is filled in.
"The command was not sent" means that repeating it is safe; "outcome unknown" means that it may have run.`,
    rows,
  );
}

function differencesPage(): string {
  const rows = differences
    .filter(({ reason }) => !reason.startsWith('time:') && reason !== 'random')
    .map(({ commands, masked, reason }) => [
      commands.map((name) => `\`${name.toUpperCase().replace('|', ' ')}\``).join(', '),
      masked,
      reason.replace(/^(time and )?connection: /, ''),
    ]);
  return page(
    'Differences from Redis',
    'test/twin/differences.ts',
    `The twin tests send every command to Redis and through nearcache and compare the bytes of the answers, in RESP2 and RESP3, with the
cache on and off. What follows is all that is not compared because nearcache answers otherwise; times, ages and random answers,
which differ between any two runs, are left out of this list.

Besides: errors of nearcache's own ([errors.md](errors.md)) when Redis gives no answer; \`CLIENT LIST\`, \`CLIENT KILL\` and \`CLIENT UNBLOCK\`
know nearcache's sessions by nearcache's ids; \`PING\` and \`ECHO\` are answered here (for users of their own by Redis), also while Redis is
away; \`HELLO\` cannot change the protocol version of a connection to which invalidations are redirected; all subscribed sessions of a
user are one subscriber at Redis, so \`PUBLISH\`, \`PUBSUB NUMSUB\` and the \`CLIENT LIST\` of Redis count them once, and \`UNSUBSCRIBE\`
without names confirms in the order in which was subscribed (Redis: in no order); connection commands (AUTH, CLIENT, HELLO, SUBSCRIBE …) larger
than \`--big-value-size\` are refused; while \`CLIENT PAUSE … WRITE\` holds a write back, reads of other clients that were sent behind it wait too,
since they share a connection.`,
    [table(['Command', 'What differs', 'Why'], rows)],
  );
}

function page(title: string, source: string, introduction: string, parts: readonly string[]): string {
  return `# ${title}\n\n<!-- Printed by \`npm run docs\` from ${source}. Do not edit. -->\n\n${introduction}\n\n${parts.join('\n')}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

/** As biome formats it: lists of words that fit stay on one line. */
function schemaPage(): string {
  const list = /^(.*)\[\n\s+("[^[\]{}]*?")\n\s+\](,?)$/gm;
  return configJsonSchema().replaceAll(list, (whole: string, head: string, items: string, end: string) => {
    const line = `${head}[${items.replaceAll(/\n\s+/g, ' ')}]${end}`;
    return line.length > LINE_WIDTH ? whole : line;
  });
}

function current(name: string): string | undefined {
  try {
    return readFileSync(new URL(name, DOCS), 'utf8');
  } catch {
    return undefined; // A page that is not there yet differs, like any other.
  }
}

const pages: Readonly<Record<string, string>> = {
  'options.md': optionsPage(),
  'metrics.md': metricsPage(),
  'commands.md': commandsPage(),
  'errors.md': errorsPage(),
  'differences.md': differencesPage(),
  'nearcache.schema.json': schemaPage(),
};
const differing = Object.keys(pages).filter((name) => current(name) !== pages[name]);

if (!process.argv.includes('--check')) {
  for (const name of differing) writeFileSync(new URL(name, DOCS), pages[name] as string);
} else if (differing.length > 0) {
  const list = differing.map((name) => `docs/${name}`).join('\n');
  console.error(`These pages differ from the code; run \`npm run docs\`:\n${list}`);
  process.exitCode = 1;
}
