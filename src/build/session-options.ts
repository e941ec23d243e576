import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { ClientLimitOptions } from '../session/client-limits.ts';
import type { SessionOptions } from '../session/session-context.ts';

/** What no session may do for long, and how much all may hold. */
export function clientLimitOptions(config: Config): ClientLimitOptions {
  return {
    memoryBytes: config.clientsMemoryBytes,
    idleTimeoutMs: config.clientIdleTimeoutMs,
    requestTimeoutMs: config.requestTimeoutMs,
    slowTimeoutMs: config.slowClientTimeoutMs,
    slowBytes: Math.ceil((config.slowClientRateBytes * config.slowClientTimeoutMs) / 1000),
  };
}

/** What sessions need of the configuration. */
export function sessionOptions(config: Config): SessionOptions {
  return {
    requests: {
      bulkBytes: config.bulkBytes,
      argsMax: config.argsMax,
      inlineBytes: config.inlineBytes,
      bigBytes: config.bigValueBytes,
    },
    outputBytes: config.outputBytes,
    inFlightMax: config.sessionInFlight,
    commandTimeoutMs: config.commandTimeoutMs,
    slowCommandTimeoutMs: config.slowCommandTimeoutMs,
    blockingGraceMs: config.blockingGraceMs,
    requireAuth: config.requireAuth,
    followersMax: config.followersMax,
    clusterEmulation: config.clusterEmulation
      ? { nodeId: randomBytes(20).toString('hex'), announce: config.clusterAnnounce }
      : undefined,
    redirectsMax: config.redirectsMax,
    cachesMultiKey: config.cachesMultiKey,
    cachesSort: config.cachesSort,
  };
}
