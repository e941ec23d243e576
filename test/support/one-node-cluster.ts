import { setTimeout as delay } from 'node:timers/promises';

import { connectRaw } from './raw-client.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** Starts a real redis-server that is a whole cluster by itself: it owns all slots. `args` are further flags of it.
 *  Errors: rejects when it does not call itself whole within 40 seconds. */
export async function startClusterNode(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ args: ['--cluster-enabled', 'yes', ...args] });
  const client = await connectRaw(server);
  try {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const deadline = performance.now() + 40_000;
    while (!(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
      if (performance.now() > deadline) throw new Error('the cluster was not whole within 40 s');
      await delay(20);
    }
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    client.close();
  }
  return server;
}
