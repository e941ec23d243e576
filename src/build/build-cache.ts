import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import { CacheStats } from '../cache/cache-stats.ts';
import { createStore } from '../cache/create-store.ts';
import { HotKeyList } from '../cache/hot-key-list.ts';
import { HotKeys } from '../cache/hot-keys.ts';
import { NearCache } from '../cache/near-cache.ts';
import type { Config } from '../config/config.ts';
import { Leases } from '../session/leases.ts';
import type { SessionOptions } from '../session/session-context.ts';

/** Undefined = the configuration wants none. */
export function buildCache(config: Config): NearCache | undefined {
  return config.cacheBytes === 0 ? undefined : nearCacheOf(config);
}

/** Undefined = no policy has any. */
export function buildLeases(
  cache: NearCache,
  options: SessionOptions,
  pinnedMax: number,
): Leases | undefined {
  if (cache.policies.all.every(({ lease }) => lease === undefined)) return undefined;
  const tokensMax = Math.ceil(pinnedMax / 2);
  const leases = new Leases(cache, { clock: systemClock, random: systemRandom, options, tokensMax });
  cache.watcher = leases;
  return leases;
}

function nearCacheOf(config: Config): NearCache {
  const store = createStore(config.eviction, {
    maxBytes: config.cacheBytes,
    expectedEntryBytes: config.expectedEntryBytes,
    maxItemBytes: config.maxItemBytes,
    maxKeyBytes: config.maxItemKeyBytes,
    seed: Math.floor(systemRandom() * 2 ** 32),
  });
  return new NearCache(
    { maxStalenessMs: config.maxStalenessMs, maxKeyBytes: config.maxItemKeyBytes },
    {
      store,
      policies: config.policies,
      stats: new CacheStats(),
      random: systemRandom,
      hotKeys: hotKeysOf(config),
    },
  );
}

/** Undefined = nobody is told: neither Redis nor the nearcache that starts next. */
function hotKeysOf({ touchRate, hotKeysFile, hotKeysMax, upstream }: Config): HotKeys | undefined {
  const list =
    hotKeysFile === undefined ? undefined : new HotKeyList(hotKeysMax, upstream.kind !== 'cluster');
  return touchRate === 0 && list === undefined ? undefined : new HotKeys(list);
}
