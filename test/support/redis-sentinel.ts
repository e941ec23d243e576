import {
  type SentinelSet,
  type SentinelsOptions,
  startSentinelsOn,
} from '../../src/drill/servers/redis-sentinel.ts';
import { startRedis } from './redis-server.ts';

/** A primary with Sentinels on the backend of the tests; see `startSentinelsOn`. */
export function startSentinels(options: SentinelsOptions = {}): Promise<SentinelSet> {
  return startSentinelsOn(startRedis, options);
}
