import { choice, count, duration, type OptionRows, onOff, parsed, percent, size } from './option.ts';
import type { Parsed } from './addresses.ts';
import { GB, HOUR, KB, MB, MINUTE } from './units.ts';

type MemoryKey =
  | 'cacheBytes'
  | 'eviction'
  | 'expectedEntryBytes'
  | 'maxItemBytes'
  | 'maxItemKeyBytes'
  | 'cachesMultiKey'
  | 'cachesSort';
type TimesKey =
  | 'cacheMaxTtlMs'
  | 'cacheNegativeTtlMs'
  | 'cacheTtlJitterPercent'
  | 'cacheSoftTtlPercent'
  | 'cacheReread'
  | 'staleWhileRevalidateMs';
type FreshnessKey = 'maxStalenessMs' | 'staleIfErrorMs' | 'canaryMs' | 'canaryKey' | 'touchRate';
const CANARY_KEY_BYTES_MAX = 256;

/** What the near-cache keeps, and in how much memory. */
export const cacheMemory: Pick<OptionRows, MemoryKey> = {
  cacheBytes: size({
    flag: 'cache-size',
    initial: '64mb',
    min: 0,
    // The index addresses units of 8 bytes with 32 bits.
    max: 32 * GB,
    help: 'Memory for the near-cache, at least 1mb; 0 = no cache',
  }),
  eviction: choice({
    flag: 'eviction',
    initial: 's3fifo',
    words: ['s3fifo', 'tinylfu', 'fifo', 'clock', 'lru'],
    help: 'Which entries go when the memory is full',
  }),
  expectedEntryBytes: size({
    flag: 'expected-entry-size',
    initial: '128b',
    min: 64,
    max: 64 * KB,
    help: 'Average entry the index is sized for',
  }),
  maxItemBytes: size({
    flag: 'max-item-size',
    initial: '1mb',
    min: KB,
    max: 512 * MB,
    help: 'Replies over this are not cached',
  }),
  maxItemKeyBytes: size({
    flag: 'max-item-key-size',
    initial: '4kb',
    min: 64,
    max: 32 * KB,
    help: "Keys (with the command's arguments) over this are not cached",
  }),
  cachesMultiKey: onOff({
    flag: 'cache-multi-key',
    help: 'Cache reads that compare or combine several keys (SINTER, ZUNION, …)',
  }),
  cachesSort: onOff({ flag: 'cache-sort', help: 'Cache SORT_RO without BY and GET patterns' }),
};

/** How long it keeps it; a policy may say otherwise for its keys. */
export const cacheTimes: Pick<OptionRows, TimesKey> = {
  cacheMaxTtlMs: duration({
    flag: 'cache-max-ttl',
    initial: '5m',
    min: 100,
    max: 24 * HOUR,
    help: 'Longest time an entry lives, whatever its TTL in Redis',
  }),
  cacheNegativeTtlMs: duration({
    flag: 'cache-negative-ttl',
    initial: '1s',
    min: 0,
    max: HOUR,
    help: 'Longest time that "no such key" is remembered; 0 = not at all',
  }),
  cacheTtlJitterPercent: percent({
    flag: 'cache-ttl-jitter',
    initial: 10,
    min: 0,
    max: 50,
    help: 'A life is shortened by a random part of up to so much, so that entries filled together do not end together',
  }),
  cacheSoftTtlPercent: percent({
    flag: 'cache-soft-ttl',
    initial: 80,
    min: 1,
    max: 100,
    help: 'After so much of its life a hit has the entry read again in the background; 100 = never',
  }),
  cacheReread: choice({
    flag: 'cache-reread',
    initial: 'on',
    words: ['on', 'off'],
    help: 'A key whose entry was in use is read again right behind a write through nearcache, so that the next read need not wait',
  }),
  staleWhileRevalidateMs: duration({
    flag: 'stale-while-revalidate',
    initial: '0',
    min: 0,
    max: HOUR,
    help: 'How much longer an entry that outlived our own limits is served while it is read again; 0 = not at all',
  }),
};

/** How near-cache and Redis are kept together. */
export const cacheFreshness: Pick<OptionRows, FreshnessKey> = {
  maxStalenessMs: duration({
    flag: 'max-staleness',
    initial: '1000ms',
    min: 100,
    max: MINUTE,
    help: 'How far behind the primary a cached reply may ever be',
  }),
  staleIfErrorMs: duration({
    flag: 'stale-if-error',
    initial: '30s',
    min: 0,
    max: 24 * HOUR,
    help: 'How old a cached reply may be while Redis is unreachable; 0 = never serve one then',
  }),
  canaryMs: duration({
    flag: 'canary-interval',
    initial: '5s',
    min: 0,
    max: HOUR,
    help: 'How often a key is written to see that its invalidation comes back; 0 = never',
  }),
  canaryKey: parsed({
    flag: 'canary-key',
    initial: 'nearcache:canary',
    form: `a text of 1 to ${CANARY_KEY_BYTES_MAX} bytes (in the file: quoted, if all digits)`,
    parse: parseCanaryKey,
    help: 'What the name of that key begins with; such a key is never kept',
  }),
  touchRate: count({
    flag: 'touch-rate',
    initial: 0,
    min: 0,
    max: 10_000,
    help: 'Hot keys per second that Redis is told are in use (TOUCH), since it does not see hits; 0 = none',
  }),
};

function parseCanaryKey(text: string): Parsed<string> {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= CANARY_KEY_BYTES_MAX) return { value: text };
  return { problem: `a key of ${bytes} bytes is not accepted` };
}
