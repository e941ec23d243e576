/** Requests made up by rule, the same for the same seed on every machine. */
import type { Random } from '../../src/base/random.ts';
import { seededRandom } from '../workload/seeded-random.ts';
import { zipf } from '../workload/zipf.ts';
import type { Trace } from './trace.ts';

/** Names of the generators. */
export const generatorNames = ['zipf-0.7', 'zipf-0.99', 'churn', 'scan', 'loop'] as const;
export type GeneratorName = (typeof generatorNames)[number];

const population = 100_000;

/** One request a call. */
type Generator = () => number;

const generators: Readonly<Record<GeneratorName, (random: Random) => Generator>> = {
  'zipf-0.7': (random) => zipf(population, 0.7, random),
  'zipf-0.99': (random) => zipf(population, 0.99, random),
  churn,
  scan,
  loop,
};

/** Makes a trace. Shape: keys are numbered by first appearance, as in a file. */
export function generateTrace(name: GeneratorName, count: number, seed: number): Trace {
  const next = generators[name](seededRandom(seed));
  return { name, ...numbered(Uint32Array.from({ length: count }, next)), sizes: undefined };
}

/** Numbers keys by their first appearance. */
export function numbered(requests: Uint32Array): Pick<Trace, 'requests' | 'keys'> {
  const numbers = new Map<number, number>();
  const dense = requests.map((key) => {
    const known = numbers.get(key);
    if (known === undefined) numbers.set(key, numbers.size);
    return known ?? numbers.size - 1;
  });
  return { requests: dense, keys: numbers.size };
}

/** Popularity drifts: every tenth request, one rank of a Zipf distribution goes to a key never seen before. */
function churn(random: Random): Generator {
  const rank = zipf(population / 2, 0.9, random);
  const holders = Uint32Array.from({ length: population / 2 }, (_, i) => i);
  let [time, fresh] = [0, holders.length];
  return () => {
    if (time++ % 10 === 0) holders[Math.floor(random() * holders.length)] = fresh++;
    return holders[rank()] as number;
  };
}

/** Every 50,000 Zipf requests a batch job reads 25,000 rows of a table once, in order, each followed by a Zipf request. */
function scan(random: Random): Generator {
  const rank = zipf(population, 0.9, random);
  const [rows, period, length] = [200_000, 100_000, 50_000];
  let [time, row] = [0, 0];
  return () => {
    const phase = time++ % period;
    if (phase < period - length || phase % 2 === 1) return rank();
    return population + (row++ % rows);
  };
}

/** Four loops, each gone through in order a few times before the next, the smaller the more often: LRU has no hit where the
 *  cache is a little smaller than the loop. */
function loop(random: Random): Generator {
  const sizes = [500, 2_000, 8_000, 32_000];
  let [at, end, start, size] = [0, 0, 0, 1];
  return () => {
    if (at === end) {
      // Each is four times as likely as the next, so that all get about as many requests.
      const which = Math.min(sizes.length - 1, Math.floor(-Math.log(1 - random()) / Math.log(4)));
      size = sizes[which] as number;
      start = sizes.slice(0, which).reduce((sum, each) => sum + each, 0);
      [at, end] = [0, Math.round(size * (2 + 2 * random()))];
    }
    return start + (at++ % size);
  };
}
