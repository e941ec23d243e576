import { DOLLAR, EQUALS } from '../protocol/bytes.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { parseReply } from '../protocol/reply-parser.ts';
import type { Request } from '../protocol/request.ts';
import { mergeField, partsOf, recompute, SUMMED } from './info-fields.ts';
import { isError } from './reply-items.ts';

/** How a shard is named in the section `# Shards`. */
export interface ShardName {
  readonly name: string;
  readonly address: string;
}

/** What an INFO asks for. */
export interface InfoPlan {
  /** The request for every shard. */
  readonly bytes: Buffer;
  readonly hasShards: boolean;
  /** The sections of the answer, lower case; undefined = all that come. */
  readonly keep: ReadonlySet<string> | undefined;
}

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

const WHOLE: ReadonlySet<string> = new Set(['default', 'all', 'everything']);

/** Plans an INFO over several shards. `INFO shards` is a section of nearcache's own, which needs facts out of the default
 *  ones; they are asked for and left out of the answer. Shape: `bytes` may be the request's own. */
export function planInfo(request: Request): InfoPlan {
  const own = request.buffer.subarray(request.start, request.end);
  const sections: string[] = [];
  for (let i = 1; i < request.argc; i++) sections.push(request.argLatin1(i).toLowerCase());
  const isWhole = sections.length === 0 || sections.some((section) => WHOLE.has(section));
  if (isWhole) return { bytes: own, hasShards: true, keep: undefined };
  if (!sections.includes('shards')) return { bytes: own, hasShards: false, keep: undefined };
  const others = sections.filter((section) => section !== 'shards');
  // Redis 6 knows one section at most.
  const args = others.length === 0 ? ['INFO'] : ['INFO', 'default', ...others];
  const bytes = encodeRequest(args.map((arg) => Buffer.from(arg, 'latin1')));
  return { bytes, hasShards: true, keep: new Set(others) };
}

/** One INFO out of those of several shards.
 *
 *  Shape: a frame a shard, an error for one that is down; at least one has answered. Lines stand in the order of the first
 *  that did, which is the home shard, and what only others have stands behind. A section that is about one server is
 *  the home shard's.
 *  Errors: undefined when a frame is no text. Cost: O(bytes). */
export function mergeInfo(
  frames: readonly Buffer[],
  shards: readonly ShardName[],
  { keep, hasShards }: InfoPlan,
): Buffer | undefined {
  const infos: (readonly Section[] | undefined)[] = [];
  for (const frame of frames) {
    const text = isError(frame) ? '' : infoText(frame);
    if (text === undefined) return undefined;
    infos.push(isError(frame) ? undefined : sectionsOf(text));
  }
  const up = infos.filter((info) => info !== undefined);
  const titles = new Set(up.flatMap((info) => info.map((section) => section.title)));
  const parts: string[] = [];
  for (const title of titles) {
    if (keep !== undefined && !keep.has(title.toLowerCase())) continue;
    parts.push(sectionText(title, mergeSection(title, up)));
  }
  if (hasShards)
    parts.push(
      sectionText(
        'Shards',
        infos.map((info, i) => shardLine(i, shards[i], info)),
      ),
    );
  return verbatim(parts.join('\r\n'));
}

function infoText(frame: Buffer): string | undefined {
  if (frame[0] !== EQUALS && frame[0] !== DOLLAR) return undefined;
  const text = parseReply(frame, 0, frame.length);
  return typeof text === 'string' ? text : undefined;
}

function sectionsOf(text: string): Section[] {
  const sections: { title: string; lines: string[] }[] = [];
  for (const line of text.split('\r\n')) {
    if (line.startsWith('# ')) sections.push({ title: line.slice(2), lines: [] });
    else if (line !== '') sections.at(-1)?.lines.push(line);
  }
  return sections;
}

function sectionText(title: string, lines: readonly string[]): string {
  return `# ${title}\r\n${lines.map((line) => `${line}\r\n`).join('')}`;
}

function mergeSection(title: string, infos: readonly (readonly Section[])[]): readonly string[] {
  const given = infos.flatMap((info) => info.find((section) => section.title === title) ?? []);
  if (!SUMMED.has(title.toLowerCase())) return (given[0] as Section).lines;
  const values = new Map<string, string[]>();
  for (const { lines } of given) {
    for (const [name, value] of lines.map(fieldOf)) {
      const known = values.get(name);
      if (known === undefined) values.set(name, [value]);
      else known.push(value);
    }
  }
  const fields = new Map([...values].map(([name, all]) => [name, mergeField(name, all)] as const));
  recompute(fields);
  const lines = [...fields].map(([name, value]) => `${name}:${value}`);
  return title === 'Keyspace' ? lines.toSorted(byDatabase) : lines;
}

function fieldOf(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1)];
}

function byDatabase(a: string, b: string): number {
  return Number.parseInt(a.slice(2), 10) - Number.parseInt(b.slice(2), 10);
}

/** `shard0:name=…,address=…,up=1,role=…,…`, like Redis's own `slave0:` lines. */
function shardLine(
  index: number,
  shard: ShardName | undefined,
  info: readonly Section[] | undefined,
): string {
  const facts = [`name=${shard?.name ?? ''}`, `address=${shard?.address ?? ''}`];
  if (info === undefined) return `shard${index}:${[...facts, 'up=0'].join(',')}`;
  const fields = new Map(info.flatMap((section) => section.lines.map(fieldOf)));
  facts.push(
    'up=1',
    `role=${fields.get('role') ?? 'unknown'}`,
    `keys=${keysIn(info)}`,
    `used_memory=${fields.get('used_memory') ?? 0}`,
    `connected_clients=${fields.get('connected_clients') ?? 0}`,
    `ops_per_sec=${fields.get('instantaneous_ops_per_sec') ?? 0}`,
  );
  return `shard${index}:${facts.join(',')}`;
}

function keysIn(info: readonly Section[]): number {
  const databases = info.find((section) => section.title === 'Keyspace')?.lines ?? [];
  return databases.reduce((sum, line) => sum + Number(partsOf(fieldOf(line)[1]).get('keys') ?? 0), 0);
}

/** Shape: one char a byte. */
function verbatim(text: string): Buffer {
  return Buffer.from(`=${text.length + 4}\r\ntxt:${text}\r\n`, 'latin1');
}
