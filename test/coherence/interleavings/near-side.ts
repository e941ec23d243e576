import { NO_RING_HOST, plainRing } from '../../support/plain-ring.ts';
import type { Socket } from 'node:net';

import type { Clock } from '../../../src/base/clock.ts';
import { createLogger } from '../../../src/base/log.ts';
import { CacheStats } from '../../../src/cache/cache-stats.ts';
import { createStore } from '../../../src/cache/create-store.ts';
import { NearCache } from '../../../src/cache/near-cache.ts';
import { type PolicyRules, PolicyTable } from '../../../src/policy/policy-table.ts';
import { DEFAULT_REQUEST_LIMITS } from '../../../src/protocol/limits.ts';
import { RequestDecoder } from '../../../src/protocol/request-decoder.ts';
import { RingUpstream } from '../../../src/route/ring-upstream.ts';
import { Session } from '../../../src/session/session.ts';
import type { SessionContext } from '../../../src/session/session-context.ts';
import { SessionRegistry } from '../../../src/session/session-registry.ts';
import { SessionStats } from '../../../src/session/session-stats.ts';
import { Shard } from '../../../src/shard/shard.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';
import type { FakeSocket } from './fake-socket.ts';

/** D of the staleness bound. Units: ms. */
export const MAX_STALENESS_MS = 1000;
const COMMAND_TIMEOUT_MS = 5000;
const MAX_KEY_BYTES = 100;

const random = (): number => 0.5;
const POLICY: PolicyRules = {
  isCached: true,
  maxTtlMs: 60_000,
  negativeTtlMs: 5000,
  jitterPercent: 0,
  softTtlPercent: 100,
  isReread: true,
  staleWhileRevalidateMs: 0,
  lease: undefined,
  staleIfErrorMs: 0,
  whenAway: 'error',
  rateLimit: 0,
};

/** Small, since thousands are made. */
const STORE = {
  maxBytes: 32_768,
  expectedEntryBytes: 200,
  maxItemBytes: 400,
  maxKeyBytes: MAX_KEY_BYTES,
  seed: 1,
};

const log = createLogger({ level: 'silent', format: 'json' });

/** The real data path, built as the app builds it, without listeners: sockets are handed to `accept`. */
export class NearSide {
  readonly shard: Shard;
  readonly #context: SessionContext;

  constructor(clock: Clock) {
    const times = { connectTimeoutMs: 1000, commandTimeoutMs: COMMAND_TIMEOUT_MS, linkDeadMs: 7000 };
    const cache = new NearCache(
      { maxStalenessMs: MAX_STALENESS_MS, maxKeyBytes: MAX_KEY_BYTES },
      {
        store: createStore('s3fifo', STORE),
        policies: new PolicyTable(POLICY),
        stats: new CacheStats(),
        random,
        hotKeys: undefined,
      },
    );
    this.shard = new Shard(
      {
        ...times,
        number: 0,
        name: 'shard0',
        address: { host: '127.0.0.1', port: 1, tls: undefined },
        credentials: () => ({ user: undefined, password: undefined }),
        maxStalenessMs: MAX_STALENESS_MS,
        reconnectBaseMs: 50,
        reconnectMaxMs: 500,
        inFlightMax: 1000,
        pinnedMax: 10,
        pinnedIdleMax: 1,
        pinnedIdleMs: 10_000,
        identitiesMax: 1,
        canaryMs: 700,
        canaryKey: 'canary',
        touchRate: 0,
        queueTimeoutMs: 1000,
        hasAdaptiveLimit: false,
        breaker: undefined,
        recovery: { forMs: 0, rate: 1, queueTimeoutMs: 1000 },
        retryBudgetPercent: 0,
      },
      { clock, random, log, stats: new ShardStats(), cache },
    );
    this.#context = {
      options: {
        requests: DEFAULT_REQUEST_LIMITS,
        outputBytes: 1_000_000,
        inFlightMax: 100,
        commandTimeoutMs: COMMAND_TIMEOUT_MS,
        slowCommandTimeoutMs: 60_000,
        blockingGraceMs: 100,
        requireAuth: false,
        followersMax: 100,
        redirectsMax: 5,
        cachesMultiKey: true,
        cachesSort: false,
      },
      upstream: new RingUpstream(plainRing(this.shard), NO_RING_HOST, { clock, random }),
      cache,
      registry: new SessionRegistry(),
      leases: undefined,
      lookahead: new RequestDecoder(DEFAULT_REQUEST_LIMITS),
      stats: new SessionStats(),
      clock,
      log,
    };
    this.shard.start();
  }

  /** Is the shared connection usable? */
  get isReady(): boolean {
    return this.shard.own.shared.isReady;
  }

  accept(socket: FakeSocket): void {
    const { registry } = this.#context;
    registry.add(new Session(this.#context, registry.nextId(), socket as unknown as Socket));
  }

  close(): void {
    this.shard.close();
    for (const session of this.#context.registry.all()) session.close('drain', 'the schedule is over');
  }
}
