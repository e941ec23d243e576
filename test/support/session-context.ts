import { NO_RING_HOST, plainRing } from './plain-ring.ts';
import { createLogger } from '../../src/base/log.ts';
import { systemClock } from '../../src/base/clock.ts';
import { DEFAULT_REQUEST_LIMITS } from '../../src/protocol/limits.ts';
import { RequestDecoder } from '../../src/protocol/request-decoder.ts';
import { RingUpstream } from '../../src/route/ring-upstream.ts';
import type { SessionContext } from '../../src/session/session-context.ts';
import { SessionRegistry } from '../../src/session/session-registry.ts';
import { SessionStats } from '../../src/session/session-stats.ts';
import { Shard } from '../../src/shard/shard.ts';
import { ShardStats } from '../../src/shard/shard-stats.ts';

/** What sessions share, with a shard that was never started: enough for everything that Redis is not asked about. */
export function lonelyContext(): SessionContext {
  const log = createLogger({ level: 'silent', format: 'json' });
  const times = { connectTimeoutMs: 1000, commandTimeoutMs: 1000, linkDeadMs: 7000, maxStalenessMs: 1000 };
  const shard = new Shard(
    {
      ...times,
      name: 'shard0',
      number: 0,
      address: { host: '127.0.0.1', port: 1, tls: undefined },
      credentials: () => ({ user: undefined, password: undefined }),
      reconnectBaseMs: 50,
      reconnectMaxMs: 2000,
      inFlightMax: 100,
      pinnedMax: 10,
      pinnedIdleMax: 1,
      pinnedIdleMs: 1000,
      identitiesMax: 1,
      canaryMs: 0,
      canaryKey: 'canary',
      touchRate: 0,
      queueTimeoutMs: 1000,
      hasAdaptiveLimit: false,
      breaker: undefined,
      recovery: { forMs: 0, rate: 1, queueTimeoutMs: 1000 },
      retryBudgetPercent: 0,
    },
    { clock: systemClock, random: () => 0.5, log, stats: new ShardStats(), cache: undefined },
  );
  return {
    options: {
      requests: DEFAULT_REQUEST_LIMITS,
      outputBytes: 1_000_000,
      inFlightMax: 100,
      commandTimeoutMs: 1000,
      slowCommandTimeoutMs: 1000,
      blockingGraceMs: 100,
      requireAuth: false,
      followersMax: 100,
      redirectsMax: 5,
      cachesMultiKey: false,
      cachesSort: false,
    },
    upstream: new RingUpstream(plainRing(shard), NO_RING_HOST, { clock: systemClock, random: () => 0.5 }),
    cache: undefined,
    registry: new SessionRegistry(),
    lookahead: new RequestDecoder(DEFAULT_REQUEST_LIMITS),
    stats: new SessionStats(),
    clock: systemClock,
    log,
  };
}
