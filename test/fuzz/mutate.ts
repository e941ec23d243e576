import type { Random } from './random.ts';

/** One small damage to a stream. */
type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Make one to four damages. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let damaged = bytes;
  for (let left = random.int(1, 4); left > 0; left--) damaged = random.pick(MUTATIONS)(damaged, random);
  return damaged;
}

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  changeByte,
  cutEnd,
  dropSome,
  repeatSome,
  swapSome,
  insertSome,
];

function flipBit(bytes: Buffer, random: Random): Buffer {
  const damaged = Buffer.from(bytes);
  const at = random.int(0, bytes.length - 1);
  if (at >= 0) damaged[at] = (damaged[at] as number) ^ (1 << random.int(0, 7));
  return damaged;
}

function changeByte(bytes: Buffer, random: Random): Buffer {
  const damaged = Buffer.from(bytes);
  const at = random.int(0, bytes.length - 1);
  if (at >= 0)
    damaged[at] = random.chance(0.5) ? random.int(0, 255) : random.pick([0, 10, 13, 32, 34, 36, 42, 45]);
  return damaged;
}

function cutEnd(bytes: Buffer, random: Random): Buffer {
  return bytes.subarray(0, random.int(0, bytes.length));
}

function dropSome(bytes: Buffer, random: Random): Buffer {
  const [from, to] = range(bytes, random);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
}

function repeatSome(bytes: Buffer, random: Random): Buffer {
  const [from, to] = range(bytes, random);
  return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
}

function swapSome(bytes: Buffer, random: Random): Buffer {
  const [from, to] = range(bytes, random);
  return Buffer.concat([bytes.subarray(to), bytes.subarray(from, to), bytes.subarray(0, from)]);
}

function insertSome(bytes: Buffer, random: Random): Buffer {
  const at = random.int(0, bytes.length);
  const junk = random.chance(0.5)
    ? random.bytes(random.int(1, 20))
    : random.bytes(random.int(1, 20), '*$-0129\r\n');
  return Buffer.concat([bytes.subarray(0, at), junk, bytes.subarray(at)]);
}

function range(bytes: Buffer, random: Random): [number, number] {
  const from = random.int(0, bytes.length);
  return [from, Math.min(bytes.length, from + random.int(1, 30))];
}
