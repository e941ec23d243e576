import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { Config } from '../config/config.ts';
import { Invalidations } from '../invalidation/invalidations.ts';
import type { Target } from '../invalidation/subscriber.ts';
import type { Shard } from '../shard/shard.ts';

/** Undefined = the configuration wants none that come by pub/sub. */
export function buildInvalidations(
  config: Config,
  parts: { cache: NearCache | undefined; log: Logger; shards: () => readonly Shard[] },
): Invalidations | undefined {
  const { cache, log, shards } = parts;
  const { invalidationChannel: channel, invalidationSource: source } = config;
  if (cache === undefined || (channel === undefined && source !== 'keyspace')) return undefined;
  return new Invalidations(
    {
      channel,
      holdOffMs: config.invalidationHoldOffMs,
      maxStalenessMs: config.maxStalenessMs,
      connectTimeoutMs: config.connectTimeoutMs,
      linkDeadMs: config.linkDeadMs,
      reconnectBaseMs: config.reconnectBaseMs,
      reconnectMaxMs: config.reconnectMaxMs,
      canaryMs: config.canaryMs,
      canaryKey: Buffer.from(config.canaryKey, 'utf8').toString('latin1'),
    },
    {
      cache,
      clock: systemClock,
      random: systemRandom,
      log,
      targets: () => shards().map(targetOf),
      untracked: () => (source === 'keyspace' ? shards().filter(cannotTrack).map(targetOf) : []),
    },
  );
}

function targetOf({ name, addressSource, options }: Shard): Target {
  return { name, address: addressSource, credentials: options.credentials };
}

/** A primary whose tracking cannot be used, now or later. */
function cannotTrack({ own }: Shard): boolean {
  const { server } = own.shared;
  if (server === undefined || !server.isPrimary || server.isTrackingBusy) return false;
  return !server.isTracking || !server.hasOrderedPushes;
}
