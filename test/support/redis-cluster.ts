import {
  type ClusterOptions,
  type RedisCluster,
  startClusterOn,
} from '../../src/drill/servers/redis-cluster.ts';
import { startRedis } from './redis-server.ts';

/** A Cluster on the backend of the tests; see `startClusterOn`. */
export function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  return startClusterOn(startRedis, options);
}
