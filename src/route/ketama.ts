import { md5Words } from './md5.ts';

/** The points of a ring, by their place on it. Shape: `owners[i]` is the index of the shard of `places[i]`; places are
 *  sorted. They are signed: that turns the ring by a half, which changes no answer. */
export interface Points {
  readonly places: Int32Array;
  readonly owners: Uint16Array;
}

const pointsAShard = 160;
const pointsADigest = 4;

/** nutcracker's points: four for each digest of `<name>-<index>`, on the mean 160 a shard.
 *  Bounds: a shard whose share of the weight is below 1 / (40 × shards) gets no point, and so no key, as in nutcracker.
 *  Names above 79 bytes are hashed whole; nutcracker reads beyond its buffer for those.
 *  Cost: 0.2 ms a shard. Source: nutcracker 0.5, nc_ketama.c. */
export function ketamaPoints(shards: readonly { readonly name: string; readonly weight: number }[]): Points {
  const total = shards.reduce((sum, { weight }) => sum + weight, 0);
  const points = shards.flatMap(({ name, weight }, owner) =>
    Array.from({ length: digestsOf(weight, total, shards.length) }, (_, index) => {
      const host = Buffer.from(`${name}-${index}`);
      return Array.from(md5Words(host, 0, host.length), (word) => ({ place: word, owner }));
    }).flat(),
  );
  // Where two shards have the same place, the first one listed owns it: the C library's qsort is a stable merge sort too.
  points.sort((a, b) => a.place - b.place);
  return {
    places: Int32Array.from(points, ({ place }) => place),
    owners: Uint16Array.from(points, ({ owner }) => owner),
  };
}

/** nutcracker computes this in single precision, where 40 come out as 39 for 25, 47, 50 and some more equal shards. */
function digestsOf(weight: number, total: number, shards: number): number {
  const { fround } = Math;
  const share = fround(fround(weight) / fround(total));
  const mean = fround(fround(share * pointsAShard) / pointsADigest);
  return Math.floor(fround(fround(mean * fround(shards)) + 0.0000000001));
}
