import type { ClusterNode, ClusterView } from '../../src/route/cluster-nodes.ts';

/** What a test says of a node; the rest follows from `name`, which is one letter. */
export interface NodeSketch extends Partial<Omit<ClusterNode, 'id' | 'configEpoch' | 'slots'>> {
  readonly name: string;
  readonly epoch: number;
  /** First and last slots of ranges. */
  readonly slots?: readonly (readonly [number, number])[];
}

/** The id of the node with this name. */
export function idOfNode(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(40, '0');
}

/** The port of 127.0.0.1 at which the node with this name listens. */
export function portOfNode(name: string): number {
  return 7000 + name.charCodeAt(0);
}

/** A view as `parseClusterNodes` makes it; the first sketch is of the node that was asked. */
export function clusterView(
  sketches: readonly NodeSketch[],
  movingSlots: readonly number[] = [],
): ClusterView {
  const nodes = sketches.map(nodeOf);
  const [self] = nodes;
  if (self === undefined) throw new Error('a view is of some node');
  return { self, nodes, movingSlots };
}

function nodeOf({ name, epoch, slots = [], ...rest }: NodeSketch): ClusterNode {
  return {
    id: idOfNode(name),
    host: '127.0.0.1',
    port: portOfNode(name),
    hostname: '',
    role: 'primary',
    primaryId: '',
    health: 'online',
    isHandshake: false,
    configEpoch: epoch,
    isConnected: true,
    slots: slots.map(([first, last]) => ({ first, last })),
    ...rest,
  };
}
