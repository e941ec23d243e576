/** Writes src/command/commands.generated.json: what the redis-server on PATH says about its own commands.
 *  Run it after upgrading that server, then read the diff: test/unit/command names every readonly command for
 *  which nobody has decided yet whether it may be cached. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import type { CommandDescription, KeySpecDescription } from '../src/command/spec.ts';
import { freePort } from '../src/drill/servers/free-port.ts';

/** One element of the COMMAND reply, in RESP2: name, arity, flags, first key, last key, step, ACL categories, tips,
 *  key specs, subcommands. */
type CommandReply = [
  string,
  number,
  string[],
  number,
  number,
  number,
  string[],
  string[],
  unknown[],
  CommandReply[],
];

const target: URL = new URL('../src/command/commands.generated.json', import.meta.url);

/** A flat RESP2 map as a Map. */
function pairs(flat: unknown): Map<string, unknown> {
  const list = flat as unknown[];
  const map = new Map<string, unknown>();
  for (let i = 0; i + 1 < list.length; i += 2) map.set(String(list[i]), list[i + 1]);
  return map;
}

function describeKeySpec(reply: unknown): KeySpecDescription {
  const spec = pairs(reply);
  const flags = spec.get('flags') as string[];
  const access = flags.find((flag) => ['RO', 'RW', 'OW', 'RM', 'not_key'].includes(flag)) ?? 'RW';
  const begin = pairs(spec.get('begin_search'));
  const beginSpec = pairs(begin.get('spec'));
  const find = pairs(spec.get('find_keys'));
  const findSpec = pairs(find.get('spec'));
  const found = {
    access: access as KeySpecDescription['access'],
    ...Object.fromEntries([...beginSpec, ...findSpec]),
  };
  return begin.get('type') === 'unknown' ? { ...found, unknown: true } : found;
}

/** One command and its subcommands, flat. `docs` is the command's own COMMAND DOCS map. */
function describe(reply: CommandReply, docs: Map<string, unknown>): CommandDescription[] {
  const [name, arity, flags, , , , , tips, keySpecs, subcommands] = reply;
  const children = pairs(docs.get('subcommands') ?? []);
  const own: CommandDescription = {
    name,
    arity,
    since: String(docs.get('since')),
    group: String(docs.get('group')),
    flags: [...flags].sort(),
    ...(tips.length > 0 ? { tips: [...tips].sort() } : {}),
    ...(keySpecs.length > 0 ? { keySpecs: keySpecs.map(describeKeySpec) } : {}),
    ...(subcommands.length > 0 ? { container: true } : {}),
  };
  return [own, ...subcommands.flatMap((child) => describe(child, pairs(children.get(child[0]))))];
}

/** The text of the data file for the server behind `redis`: one line a command, sorted by name. */
export async function generateCommands(redis: Redis): Promise<string> {
  const info = String(await redis.call('INFO', 'server'));
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
  const docs = pairs(await redis.call('COMMAND', 'DOCS'));
  const replies = (await redis.call('COMMAND')) as CommandReply[];
  const all = replies.flatMap((reply) => describe(reply, pairs(docs.get(reply[0]))));
  all.sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = all.map((command) => JSON.stringify(command));
  return `{"server":"redis ${version}","commands":[\n${lines.join(',\n')}\n]}\n`;
}

async function main(): Promise<void> {
  const port = await freePort();
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '']);
  const redis = new Redis({ port, retryStrategy: () => 50, maxRetriesPerRequest: 100 });
  redis.on('error', () => undefined); // Refused until the server listens; the retry strategy goes on.
  try {
    await writeFile(target, await generateCommands(redis));
  } finally {
    redis.disconnect();
    server.kill();
  }
}

if (import.meta.main) await main();
