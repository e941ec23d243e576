import { afterAll, afterEach, beforeAll } from 'vitest';

import { readMetric } from '../../src/drill/servers/read-metrics.ts';
import { connectRaw, type RawClient } from './raw-client.ts';
import { say, Sidecar, type SidecarOptions, until } from './sidecar.ts';

/** Outages that begin and end within seconds. */
export const QUICK_FLAGS: string =
  '--command-timeout 1s --breaker-slow-call 1s --breaker-open-time 200ms --reconnect-max 100ms --cache-negative-ttl 20s';

/** A Redis with a nearcache before it, for all tests of a file, that each test may take away; afterwards it is back, and empty if it
 *  was killed. */
export interface OutageStage {
  readonly sidecar: Sidecar;
  app(): Promise<RawClient>;
  /** A connection past nearcache; closed with the test. */
  direct(): Promise<RawClient>;
  /** Sends a signal to Redis. */
  signal(signal: 'SIGSTOP' | 'SIGKILL'): Promise<void>;
  /** The same, and waits until nothing is sent to Redis any more. */
  away(signal: 'SIGSTOP' | 'SIGKILL'): Promise<void>;
  /** Waits until commands pass again. */
  back(): Promise<void>;
  /** Ask until the near-cache answers. */
  warm(app: RawClient, ...read: readonly string[]): Promise<void>;
  /** A metric, summed over its labels unless they are part of `name`. */
  metric(name: string): Promise<number>;
}

/** Call at the top of a test file; what it returns is there once the first test runs. */
export function useOutages(options: SidecarOptions): OutageStage {
  const open: RawClient[] = [];
  const metric = (name: string): Promise<number> => readMetric(stage.sidecar.nearcache, name);
  const direct = async (): Promise<RawClient> => {
    const client = await connectRaw({ port: stage.sidecar.redis.port });
    open.push(client);
    return client;
  };
  const signal = async (name: 'SIGSTOP' | 'SIGKILL'): Promise<void> => stage.sidecar.redis.kill(name);
  const back = async (): Promise<void> => {
    const { redis } = stage.sidecar;
    await redis.kill('SIGCONT');
    const isRunning = await connectRaw({ port: redis.port }).then(
      (client) => {
        client.close();
        return true;
      },
      () => false,
    );
    if (!isRunning) await redis.restart();
    const app = await stage.app();
    await until('commands pass again', async () => (await say(app, 'SET', 'is-back', '1')) === '+OK');
    await until('the breaker is closed', async () => (await metric('nearcache_shard_breaker_state')) === 0);
  };
  const stage = {
    app: () => stage.sidecar.app(),
    direct,
    signal,
    back,
    metric,
    async away(name) {
      await signal(name);
      await until('the breaker is open', async () => (await metric('nearcache_shard_breaker_state')) > 0);
    },
    async warm(app, ...read) {
      await until(`${read.join(' ')} is cached`, async () => {
        await app.call(...read);
        const before = await metric('nearcache_cache_hits_total');
        await app.call(...read);
        return (await metric('nearcache_cache_hits_total')) > before;
      });
    },
  } as { -readonly [K in keyof OutageStage]: OutageStage[K] };
  beforeAll(async () => {
    stage.sidecar = await Sidecar.start(options);
  });
  afterEach(async () => {
    const { sidecar } = stage;
    sidecar.relay.resume();
    sidecar.relay.delayMs = 0;
    sidecar.gate.open();
    await stage.back();
    sidecar.endSessions();
    for (const client of open.splice(0)) client.close();
  });
  afterAll(() => stage.sidecar.stop());
  return stage;
}
