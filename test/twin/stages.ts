import { freePort } from '../../src/drill/servers/free-port.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { cluster } from './corpus/cluster.ts';
import { groups } from './corpus/groups.ts';
import { locked } from './corpus/locked.ts';
import type { Group, Line } from './script.ts';

/** A Redis of one kind, how nearcache is told of it, and what is tried there. */
export interface Stage {
  readonly name: string;
  start(): Promise<RedisServer>;
  readonly groups: readonly Group[];
  /** The default user's password. Only the harness uses it; a case must authenticate by itself. */
  readonly password?: string;
  /** Sent to Redis once, then until its last answer holds `ready`. */
  readonly prepare?: { readonly lines: readonly Line[]; readonly ready: string };
  readonly flags?: readonly string[];
}

export const stages: readonly Stage[] = [
  {
    name: 'one Redis',
    // A high hz, as it is what the end of a blocking command waits for.
    start: () => startRedis({ args: ['--hz', '100'] }),
    groups,
  },
  {
    name: 'a Redis with a password',
    start: () => startRedis({ password: 'secret' }),
    password: 'secret',
    flags: ['--require-auth'],
    groups: [locked],
  },
  {
    name: 'a Redis in cluster mode',
    start: async () => {
      const busPort = String(await freePort());
      const args = [
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        busPort,
        '--cluster-require-full-coverage',
        'no',
      ];
      return startRedis({ args });
    },
    prepare: { lines: ['CLUSTER ADDSLOTSRANGE 0 16383', 'CLUSTER INFO'], ready: 'cluster_state:ok' },
    groups: [cluster],
  },
];
