import { errorLine } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { MergeRule } from '../command/spread.ts';
import { PLUS, UNDERSCORE } from '../protocol/bytes.ts';
import { integerReply } from '../protocol/encoder.ts';
import { mergeArrays } from './merge-arrays.ts';
import { type InfoPlan, mergeInfo, type ShardName } from './merge-info.ts';
import { mergeHistograms, mergeHistory, mergeLatest, mergeNewest } from './merge-logs.ts';
import { arrayOf, integerOf, isError, itemsOf, textOf } from './reply-items.ts';

/** What a rule needs besides the replies. */
export interface MergeContext {
  /** For the message when replies do not go together. */
  readonly command: string;
  /** `request-order`: the index in `frames` of the part that each of the request's keys went to. */
  readonly partOf?: ArrayLike<number>;
  /** `newest`: how many entries, from `entryLimit`. */
  readonly limit?: number;
  /** `any-not-nil`. */
  readonly random?: Random;
  /** `info`: what was asked, from `planInfo`, and who answered, one for each frame. */
  readonly info?: { readonly plan: InfoPlan; readonly shards: readonly ShardName[] };
}

/** One reply out of the replies of several shards.
 *
 *  Shape: whole RESP3 frames in the order of the shards, at least one; so is the result, which is good until the next call.
 *  Errors: if a frame is an error, the first such is the result (`any-ok` and `info` see past errors while one shard has
 *  answered). Replies that the rule cannot put together give an error reply that names the command.
 *  Cost: O(bytes). */
export function merge(rule: MergeRule, frames: readonly Buffer[], context: MergeContext): Buffer {
  if (rule === 'any-ok') return anyOk(frames);
  const failed = frames.find(isError);
  if (failed !== undefined && (rule !== 'info' || frames.every(isError))) return failed;
  try {
    return merged(rule, frames, context) ?? mismatch(context.command);
  } catch (error) {
    // A reply that is nested too deep to be read as a value.
    if (error instanceof RangeError) return mismatch(context.command);
    throw error;
  }
}

/** The error for replies that no rule can put together, which means that shards are of different kinds. */
export function mismatch(command: string): Buffer {
  return errorLine('SHARDS_DIFFER', { command });
}

/** Undefined when the replies do not go together. */
function merged(rule: MergeRule, frames: readonly Buffer[], context: MergeContext): Buffer | undefined {
  switch (rule) {
    case 'request-order':
      return mergeArrays(frames, context.partOf ?? []);
    case 'same':
      return same(frames);
    case 'first':
    case 'any-ok':
      return frames[0];
    case 'sum':
      return integer(frames, add);
    case 'min':
      return integer(frames, Math.min);
    case 'max':
      return integer(frames, Math.max);
    case 'sum-each':
      return placeByPlace(frames, add);
    case 'min-each':
      return placeByPlace(frames, Math.min);
    case 'concat':
      return concat(frames);
    case 'union':
      return union(frames);
    case 'any-not-nil':
      return anyNotNil(frames, context.random ?? (() => 0));
    case 'newest':
      return frames[0]?.[0] === PLUS ? same(frames) : mergeNewest(frames, context.limit ?? -1);
    case 'latency-latest':
      return mergeLatest(frames);
    case 'latency-history':
      return mergeHistory(frames);
    case 'latency-histogram':
      return mergeHistograms(frames);
    case 'info':
      return context.info && mergeInfo(frames, context.info.shards, context.info.plan);
  }
}

function add(a: number, b: number): number {
  return a + b;
}

function same(frames: readonly Buffer[]): Buffer | undefined {
  const [first] = frames;
  return frames.every((frame) => first?.equals(frame)) ? first : undefined;
}

function integer(frames: readonly Buffer[], combine: (a: number, b: number) => number): Buffer | undefined {
  let value = integerOf(frames[0] as Buffer);
  for (let i = 1; i < frames.length; i++) value = combine(value, integerOf(frames[i] as Buffer));
  return Number.isNaN(value) ? undefined : integerReply(value);
}

function placeByPlace(
  frames: readonly Buffer[],
  combine: (a: number, b: number) => number,
): Buffer | undefined {
  const rows = frames.map(itemsOf);
  const [first] = rows;
  if (first === undefined || rows.some((row) => row?.length !== first.length)) return undefined;
  const items: Buffer[] = [];
  for (const [place, item] of first.entries()) {
    const column = rows.map((row) => row?.[place] as Buffer);
    const combined = Number.isNaN(integerOf(item)) ? same(column) : integer(column, combine);
    if (combined === undefined) return undefined;
    items.push(combined);
  }
  return arrayOf(items);
}

function concat(frames: readonly Buffer[]): Buffer | undefined {
  const rows = frames.map(itemsOf);
  return rows.every((row) => row !== undefined) ? arrayOf(rows.flat()) : undefined;
}

function union(frames: readonly Buffer[]): Buffer | undefined {
  const rows = frames.map(itemsOf);
  if (!rows.every((row) => row !== undefined)) return undefined;
  const once = new Map(rows.flat().map((item) => [textOf(item), item] as const));
  return arrayOf([...once.values()]);
}

function anyOk(frames: readonly Buffer[]): Buffer {
  const ok = frames.find((frame) => !isError(frame));
  if (ok !== undefined) return ok;
  // That nothing runs on one shard says less than why the script of another cannot be killed.
  const telling = frames.find((frame) => !textOf(frame).startsWith('-NOTBUSY'));
  return telling ?? (frames[0] as Buffer);
}

function anyNotNil(frames: readonly Buffer[], random: Random): Buffer | undefined {
  const found = frames.filter((frame) => frame[0] !== UNDERSCORE);
  return found.length === 0 ? frames[0] : found[Math.floor(random() * found.length)];
}
