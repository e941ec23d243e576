import type { Directory } from './directory.ts';
import type { LinkRelay } from './relay.ts';
import type { UpstreamReads } from './upstream-reads.ts';

/** How Redis is laid out behind nearcache. */
export const TOPOLOGIES = ['single', 'ring', 'cluster', 'sentinel'] as const;
export type Topology = (typeof TOPOLOGIES)[number];

/** Redis servers behind relays, as nearcache knows them by `upstream`. */
export interface Backend {
  /** As `--upstream` takes it. */
  readonly upstream: string;
  /** In front of each server that has data. */
  readonly relays: readonly LinkRelay[];
  /** What all relays hear. */
  readonly reads: UpstreamReads;
  readonly directory: Directory;
  stop(): Promise<void>;
}
