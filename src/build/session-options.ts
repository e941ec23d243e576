import { randomBytes } from 'node:crypto';
import type { Logger } from '../base/log.ts';
import { openFilesMax } from '../base/open-files.ts';
import type { Config } from '../config/config.ts';
import type { ClientLimitOptions } from '../session/client-limits.ts';
import type { ListenerOptions } from '../session/listener.ts';
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

/** Files of our own: listeners, the log, shared connections, those that ask for the topology, and 64 of admin. Redis keeps 32. */
const OWN_FILES = 128;

const HANDSHAKE_MS = 120_000;

/** Where apps connect, and how many. */
export function listenerOptions(config: Config, log: Logger): ListenerOptions {
  const { tlsCert: cert, tlsKey: key, tlsCa: ca } = config;
  const files = openFilesMax();
  const clientsMax = clientsThatFit(config, files);
  if (clientsMax < config.clientsMax) {
    const reason = `--max-clients is ${config.clientsMax}, but the system allows this process ${files} open files`;
    log.warn({ count: clientsMax, reason }, 'serves fewer clients at a time than it was told to');
  }
  return {
    addresses: config.listen,
    skipsMissing: !config.listenGiven,
    tls: cert === undefined || key === undefined ? undefined : { cert, key, ca },
    clientsMax,
    // It is a part of what is needed for a request. Without a limit, Node's own.
    handshakeMs: config.requestTimeoutMs || HANDSHAKE_MS,
    sendBufferBytes: config.clientSendBufferBytes,
  };
}

/** Clients that leave enough open files for what they ask: who takes the last one takes the way to Redis from all, and is closed by the
 *  system without a word. Bounds: at least half of all files are for clients. Source: `adjustOpenFilesLimit` of Redis's server.c. */
export function clientsThatFit(
  { clientsMax, pinnedMax }: Pick<Config, 'clientsMax' | 'pinnedMax'>,
  files: number | undefined,
): number {
  if (files === undefined) return clientsMax;
  const kept = Math.min(OWN_FILES + pinnedMax, files / 2);
  return Math.min(clientsMax, Math.floor(files - kept));
}
