import type { Backend, Topology } from './backend.ts';
import { ClusterBackend } from './cluster-backend.ts';
import type { Fault } from './faults.ts';
import { RingBackend } from './ring-backend.ts';
import { SentinelBackend } from './sentinel-backend.ts';

const SHARDS = 3;

/** Starts what a run needs behind nearcache. */
export async function startBackend(
  topology: Topology,
  { needsReplicas = false }: Fault,
  random: () => number,
): Promise<Backend> {
  switch (topology) {
    case 'single':
      return RingBackend.start(1, random);
    case 'ring':
      return RingBackend.start(SHARDS, random);
    case 'cluster':
      return ClusterBackend.start(needsReplicas ? 1 : 0, random);
    case 'sentinel':
      return SentinelBackend.start(random);
  }
}
