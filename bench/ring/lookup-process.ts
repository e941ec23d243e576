/** The lookups of one hash in a process of its own, as a proxy has only one: calls of different functions from one place are
 *  slower. Questions: each figure, as often as there are rounds. */
import { threadCpuUsage } from 'node:process';

import { keyHashOf } from '../../src/route/key-hashes.ts';
import { Ring } from '../../src/route/ring.ts';
import { answer, workerInput } from '../worker.ts';
import { seededRandom } from '../workload/seeded-random.ts';
import { equalShards, KeyList, randomText } from './placement.ts';
import type { Figure, LookupInput } from './ring-rows.ts';

const keysInTurn = 1_000;
const shards = 10;
const { hash, operations } = workerInput() as LookupInput;
const random = seededRandom(1);
const short = keysOfBytes(24);
const long = keysOfBytes(100);
const ketama = new Ring({ distribution: 'ketama', hash, hashTag: '{}' }, equalShards(shards));
const modula = new Ring({ distribution: 'modula', hash, hashTag: '{}' }, equalShards(shards));
const hashAlone = keyHashOf(hash);

function keysOfBytes(length: number): KeyList {
  return new KeyList(Array.from({ length: keysInTurn }, () => randomText(random, length)));
}

/** CPU time of this thread. Bounds: the kernel counts in ticks of up to 4 ms. */
function nanos(keys: KeyList, look: (bytes: Buffer, start: number, end: number) => number): number {
  const before = threadCpuUsage();
  let done = 0;
  let sum = 0;
  for (; done < operations; done += keys.count) sum += keys.each(look);
  const { user, system } = threadCpuUsage(before);
  if (!Number.isSafeInteger(sum)) throw new Error('a lookup found no shard');
  return ((user + system) * 1_000) / done;
}

const answers: Readonly<Record<Figure, () => number>> = {
  'hash, 24 B': () => nanos(short, hashAlone),
  'ketama, 24 B': () => nanos(short, (bytes, start, end) => ketama.place(bytes, start, end)),
  'modula, 24 B': () => nanos(short, (bytes, start, end) => modula.place(bytes, start, end)),
  'ketama, 100 B': () => nanos(long, (bytes, start, end) => ketama.place(bytes, start, end)),
};
answer(answers);
