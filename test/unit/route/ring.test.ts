import { describe, expect, it } from 'vitest';
import {
  type Distribution,
  defaultShardName,
  Ring,
  ringFingerprint,
  type RingOptions,
  type RingShard,
} from '../../../src/route/ring.ts';

const OPTIONS: RingOptions = { distribution: 'ketama', hash: 'fnv1a_64', hashTag: '{}' };
const KEYS = Array.from({ length: 2_000 }, (_, i) => `user:${i}`);

function shardsOf(count: number): RingShard[] {
  return Array.from({ length: count }, (_, i) => ({ name: `shard${i}`, weight: 1 }));
}

function placesOf(ring: Ring, keys: readonly string[] = KEYS): number[] {
  return keys.map((key) => {
    const bytes = Buffer.from(`<${key}>`);
    return ring.place(bytes, 1, bytes.length - 1);
  });
}

describe('a ring', () => {
  it('places keys of one hash tag together, and others as their tag alone', () => {
    const ring = new Ring(OPTIONS, shardsOf(10));
    for (const key of KEYS) {
      const [alone, ...tagged] = placesOf(ring, [key, `{${key}}.name`, `age.{${key}}`]);
      expect(tagged).toEqual([alone, alone]);
    }
  });

  it('places a key on the same shard wherever that shard is in the list', () => {
    const weights = [5, 1, 100, 7, 3, 2];
    const shards = weights.map((weight, i) => ({ name: `${'x'.repeat(i % 3)}${i}`, weight }));
    for (const distribution of ['ketama', 'modula'] as const) {
      const [one, two] = [shards, shards.toReversed()].map((list) =>
        placesOf(new Ring({ ...OPTIONS, distribution }, list)).map((index) => list[index]?.name),
      );
      expect(two).toEqual(one);
    }
  });

  it('gives each shard keys by its weight', () => {
    const shards = [1, 2, 7].map((weight, i) => ({ name: `shard${i}`, weight }));
    for (const distribution of ['ketama', 'modula'] as const) {
      const places = placesOf(new Ring({ ...OPTIONS, hash: 'murmur', distribution }, shards));
      const shares = shards.map((_, i) => places.filter((place) => place === i).length / places.length);
      expect(shares[0]).toBeCloseTo(0.1, 1);
      expect(shares[1]).toBeCloseTo(0.2, 1);
      expect(shares[2]).toBeCloseTo(0.7, 1);
    }
  });

  it('has the remainder of the hash as its shard with modula and equal weights', () => {
    const ring = new Ring({ distribution: 'modula', hash: 'crc32', hashTag: '' }, shardsOf(7));
    // 0x3524 and 0x1f74 are what nutcracker's crc32 says of these two.
    expect(placesOf(ring, ['abc', 'user:1000'])).toEqual([0x3524 % 7, 0x1f74 % 7]);
  });

  it('gives an empty key the hash 0, whatever the hash is', () => {
    for (const hash of ['md5', 'jenkins', 'fnv1a_64'] as const) {
      const ring = new Ring({ distribution: 'modula', hash, hashTag: '' }, shardsOf(3));
      expect(placesOf(ring, [''])).toEqual([0]);
    }
  });

  it('has one owner for all keys when it has one shard, and finds 1024 of them', () => {
    expect(new Set(placesOf(new Ring(OPTIONS, shardsOf(1))))).toEqual(new Set([0]));
    expect(new Set(placesOf(new Ring({ ...OPTIONS, hash: 'md5' }, shardsOf(1024)))).size).toBeGreaterThan(
      700,
    );
  });
});

describe('a ring that cannot be made', () => {
  const make = (options: Partial<RingOptions>, shards: readonly RingShard[]): (() => Ring) => {
    return () => new Ring({ ...OPTIONS, ...options }, shards);
  };

  it('says how many shards there may be', () => {
    expect(make({}, [])).toThrow('A ring has 1 to 1024 shards, not 0.');
    expect(make({}, shardsOf(1025))).toThrow('A ring has 1 to 1024 shards, not 1025.');
  });

  it.each([0, -1, 1.5, 1001, Number.NaN])('says which weight is not accepted: %d', (weight) => {
    expect(make({}, [{ name: 'a', weight }])).toThrow(
      `The weight of shard "a" is a whole number from 1 to 1000, not ${weight}.`,
    );
  });

  it('says which name is there twice or missing', () => {
    expect(make({}, [...shardsOf(2), { name: 'shard1', weight: 2 }])).toThrow(
      'Two shards are called "shard1"',
    );
    expect(make({}, [{ name: '', weight: 1 }])).toThrow('A shard needs a name');
  });

  it('says why keys are not placed at random', () => {
    expect(make({ distribution: 'random' as Distribution }, shardsOf(2))).toThrow(
      'The distribution "random" would send each request of a key to another shard, so what was written could not be read again.',
    );
  });

  it('says what is not known', () => {
    expect(make({ distribution: 'rendezvous' as Distribution }, shardsOf(2))).toThrow(
      'There is no distribution called "rendezvous". There are: ketama, modula.',
    );
    expect(make({ hash: 'sha1' as RingOptions['hash'] }, shardsOf(2))).toThrow(
      'There is no hash called "sha1"',
    );
    expect(make({ hashTag: '{' }, shardsOf(2))).toThrow('A hash tag is');
  });
});

describe('the fingerprint of a ring', () => {
  const shards = [
    { name: 'a', weight: 1 },
    { name: 'bb', weight: 2 },
  ];
  const fingerprint = ringFingerprint(OPTIONS, shards);

  it('is the same on every machine and in every version', () => {
    expect(fingerprint).toBe('d3b0406125958872');
  });

  it('does not count where a shard is, or its place in the list', () => {
    const moved = shards.toReversed().map((shard, i) => ({ ...shard, url: `redis://host${i}:6379` }));
    expect(ringFingerprint({ ...OPTIONS }, moved)).toBe(fingerprint);
  });

  it('differs when anything differs that decides where a key is', () => {
    const others = [
      ringFingerprint({ ...OPTIONS, distribution: 'modula' }, shards),
      ringFingerprint({ ...OPTIONS, hash: 'fnv1a_32' }, shards),
      ringFingerprint({ ...OPTIONS, hashTag: '' }, shards),
      ringFingerprint(OPTIONS, shards.slice(1)),
      ringFingerprint(OPTIONS, [
        { name: 'a', weight: 2 },
        { name: 'bb', weight: 2 },
      ]),
      ringFingerprint(OPTIONS, [
        { name: 'a', weight: 1 },
        { name: 'cc', weight: 2 },
      ]),
    ];
    expect(new Set([fingerprint, ...others]).size).toBe(others.length + 1);
  });
});

describe('the name of a shard without a name', () => {
  it("is nutcracker's: host and port, without memcached's port, and a path with a colon", () => {
    expect(defaultShardName({ host: '10.0.0.1', port: 6379 })).toBe('10.0.0.1:6379');
    expect(defaultShardName({ host: 'cache', port: 11211 })).toBe('cache');
    expect(defaultShardName({ path: '/run/redis.sock' })).toBe('/run/redis.sock:');
  });
});
