import { setTimeout as delay } from 'node:timers/promises';

import { freePort } from './free-port.ts';
import { connectRaw } from './raw-client.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** The bus port, 10,000 higher, has to be a port too. */
const CLUSTER_PORT_MAX = 55_535;

/** Starts a real redis-server that is a whole cluster by itself: it owns all slots. `args` are further flags of it.
 *  Errors: rejects when it does not call itself whole within 15 seconds. */
export async function startClusterNode(args: readonly string[] = []): Promise<RedisServer> {
  const port = await freeClusterPort();
  const server = await startRedis({ port, args: ['--cluster-enabled', 'yes', ...args] });
  const client = await connectRaw(server);
  try {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const deadline = performance.now() + 15_000;
    while (!(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
      if (performance.now() > deadline) throw new Error('the cluster was not whole within 15 s');
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

async function freeClusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port <= CLUSTER_PORT_MAX) return port;
  }
}
