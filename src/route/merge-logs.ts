import { encodeReply, type ReplyValue } from '../protocol/encoder.ts';
import { parseReply, type Reply } from '../protocol/reply-parser.ts';
import type { Request } from '../protocol/request.ts';
import { parseInteger } from '../protocol/request-line.ts';
import { arrayOf, itemsOf } from './reply-items.ts';

/** What SLOWLOG GET and ACL LOG give when no count is asked for. */
const LIMIT_DEFAULT = 10;

/** How many entries a SLOWLOG GET or ACL LOG asks for; -1 = all. Where it is no number, Redis answers an error. */
export function entryLimit(request: Request): number {
  if (request.argc < 3) return LIMIT_DEFAULT;
  const limit = parseInteger(request.buffer, request.argStart(2), request.argEnd(2));
  return Number.isNaN(limit) ? LIMIT_DEFAULT : limit;
}

/** Entries of SLOWLOG GET or ACL LOG, the newest first. Errors: undefined for anything else. */
export function mergeNewest(frames: readonly Buffer[], limit: number): Buffer | undefined {
  const entries = timed(frames, timeOfEntry);
  if (entries === undefined) return undefined;
  entries.sort((a, b) => b.time - a.time);
  const kept = limit < 0 ? entries : entries.slice(0, limit);
  return arrayOf(kept.map((entry) => entry.item));
}

/** LATENCY HISTORY: pairs of a time and a latency, the oldest first. */
export function mergeHistory(frames: readonly Buffer[]): Buffer | undefined {
  const entries = timed(frames, (entry) => (Array.isArray(entry) ? entry[0] : undefined));
  if (entries === undefined) return undefined;
  return arrayOf(entries.sort((a, b) => a.time - b.time).map((entry) => entry.item));
}

function timed(
  frames: readonly Buffer[],
  timeOf: (entry: Reply) => Reply,
): { item: Buffer; time: number }[] | undefined {
  const entries: { item: Buffer; time: number }[] = [];
  for (const frame of frames) {
    const items = itemsOf(frame);
    if (items === undefined) return undefined;
    for (const item of items) {
      const time = timeOf(parseReply(item, 0, item.length));
      if (typeof time !== 'number') return undefined;
      entries.push({ item, time });
    }
  }
  return entries;
}

/** Entries of the slow log say when; those of the ACL log how long ago. */
function timeOfEntry(entry: Reply): Reply {
  if (Array.isArray(entry)) return entry[1];
  const age = entry instanceof Map ? entry.get('age-seconds') : undefined;
  return typeof age === 'number' ? -age : undefined;
}

/** LATENCY LATEST: an event, the time and the latency of its last spike, its worst latency, and in newer servers sums. Of
 *  each event the last spike of all shards, the worst of all, and the sums added. */
export function mergeLatest(frames: readonly Buffer[]): Buffer | undefined {
  const events = new Map<string, number[]>();
  for (const frame of frames) {
    const rows = parseReply(frame, 0, frame.length);
    if (!Array.isArray(rows)) return undefined;
    for (const row of rows) {
      if (!Array.isArray(row)) return undefined;
      const [event, ...numbers] = row;
      if (typeof event !== 'string' || numbers.length < 3 || !areNumbers(numbers)) return undefined;
      const known = events.get(event);
      events.set(event, known === undefined ? numbers : laterOf(known, numbers));
    }
  }
  const items = [...events].map(([event, numbers]) => array([text(event), ...numbers.map(int)]));
  return encodeReply(array(items), 3);
}

function areNumbers(values: readonly Reply[]): values is number[] {
  return values.every((value) => typeof value === 'number');
}

function laterOf(a: readonly number[], b: readonly number[]): number[] {
  const [time = 0, latency = 0] = (b[0] as number) > (a[0] as number) ? b : a;
  const sums = a.slice(3).map((sum, i) => sum + (b[i + 3] ?? 0));
  return [time, latency, Math.max(a[2] as number, b[2] as number), ...sums];
}

interface Histogram {
  calls: number;
  /** One a shard: how many calls took at most so many µs, in rising order. */
  readonly shards: (readonly (readonly [number, number])[])[];
}

/** LATENCY HISTOGRAM: calls of each command, and how many of them took at most so long. */
export function mergeHistograms(frames: readonly Buffer[]): Buffer | undefined {
  const commands = new Map<string, Histogram>();
  for (const frame of frames) {
    const reply = parseReply(frame, 0, frame.length);
    if (!(reply instanceof Map)) return undefined;
    for (const [command, facts] of reply) {
      if (!(facts instanceof Map) || typeof command !== 'string') return undefined;
      const calls = facts.get('calls');
      const buckets = facts.get('histogram_usec');
      if (typeof calls !== 'number' || !(buckets instanceof Map)) return undefined;
      const all = commands.get(command) ?? { calls: 0, shards: [] };
      all.calls += calls;
      all.shards.push([...buckets].map(([limit, count]) => [Number(limit), Number(count)] as const));
      commands.set(command, all);
    }
  }
  const entries = [...commands].map(([command, all]) => [text(command), histogram(all)] as const);
  return encodeReply({ type: 'map', entries }, 3);
}

function histogram({ calls, shards }: Histogram): ReplyValue {
  const limits = new Set(shards.flat().map(([limit]) => limit));
  const buckets = [...limits]
    .toSorted((a, b) => a - b)
    .map((limit) => {
      const counts = shards.map((buckets) => buckets.findLast(([at]) => at <= limit)?.[1] ?? 0);
      return [int(limit), int(counts.reduce((sum, count) => sum + count))] as const;
    });
  return {
    type: 'map',
    entries: [
      [text('calls'), int(calls)],
      [text('histogram_usec'), { type: 'map', entries: buckets }],
    ],
  };
}

function text(latin1: string): ReplyValue {
  return { type: 'bulk', bytes: Buffer.from(latin1, 'latin1') };
}

function int(value: number): ReplyValue {
  return { type: 'integer', value };
}

function array(items: readonly ReplyValue[]): ReplyValue {
  return { type: 'array', items };
}
