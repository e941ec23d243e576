import { ClusterNode } from './cluster-node.ts';
import type { NodeLine } from './cluster-node.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './free-port.ts';
import { withRedis } from './redis-call.ts';
import type { StartRedis } from './redis-server.ts';

const SLOTS = 16_384;

export interface ClusterOptions {
  /** Default 3, the fewest that survive the loss of one. */
  primaries?: number;
  /** Of each primary; default 0. */
  replicas?: 0 | 1;
  /** Default 1000 where a replica is to take over soon, else 30000, so that no busy machine makes a node seem lost. */
  nodeTimeoutMs?: number;
  /** Default true, as in Redis: no slot is served while one has no owner. */
  requiresFullCoverage?: boolean;
}

export interface MoveOptions {
  /** Keys in one MIGRATE; default 100. */
  batch?: number;
  /** Called when the slot is marked on both nodes, and after each batch: what a client sees there is ASK and TRYAGAIN. */
  between?: () => Promise<void>;
}

/** Starts a Redis Cluster of real processes and waits until every node says that it is whole. Slots are divided evenly, in
 *  the order of the nodes; primaries come first in `nodes`.
 *  Cost: about 3 seconds, most of which Redis spends waiting.
 *  Errors: rejects when it is not whole within 20 seconds; what was started is ended. */
export async function startClusterOn(startRedis: StartRedis, options: ClusterOptions): Promise<RedisCluster> {
  const cluster = new RedisCluster(startRedis, options);
  try {
    await cluster.create(options.primaries ?? 3, options.replicas ?? 0);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

export class RedisCluster {
  readonly #startRedis: StartRedis;
  readonly #nodes: ClusterNode[] = [];
  readonly #nodeTimeoutMs: number;
  readonly #requiresFullCoverage: boolean;

  /** Use `startClusterOn`. */
  constructor(startRedis: StartRedis, options: ClusterOptions) {
    this.#startRedis = startRedis;
    this.#nodeTimeoutMs = options.nodeTimeoutMs ?? (options.replicas === 1 ? 1000 : 30_000);
    this.#requiresFullCoverage = options.requiresFullCoverage ?? true;
  }

  get nodes(): readonly ClusterNode[] {
    return this.#nodes;
  }

  /** As `--upstream` takes it. */
  get url(): string {
    return `redis+cluster://${this.#nodes.map((node) => `${node.host}:${node.port}`).join(',')}`;
  }

  /** Use `startClusterOn`. */
  async create(primaries: number, replicas: number): Promise<void> {
    await this.#start(primaries * (1 + replicas));
    const owners = this.#nodes.slice(0, primaries);
    await Promise.all(
      owners.map(async (node, i) => {
        const first = Math.floor((SLOTS * i) / primaries);
        const last = Math.floor((SLOTS * (i + 1)) / primaries) - 1;
        await node.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
        // Else they all begin with epoch 0 and have to agree on an order first.
        await node.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
      }),
    );
    for (const node of this.#nodes.slice(1)) await this.#introduce(node);
    await this.#allKnown();
    const followers = this.#nodes.slice(primaries);
    await Promise.all(
      followers.map((node, i) =>
        node.call('CLUSTER', 'REPLICATE', (owners[i % primaries] as ClusterNode).id),
      ),
    );
    await this.settled();
  }

  /** What the nodes say of themselves now; those that do not run are left out. */
  async view(): Promise<NodeLine[]> {
    return Promise.all(this.#running().map((node) => node.line()));
  }

  /** The running nodes that are primaries now, by their own word. */
  async primaries(): Promise<ClusterNode[]> {
    const lines = await this.view();
    return this.#running().filter((_, i) => lines[i]?.role === 'primary');
  }

  /** The running replicas of a node. */
  async replicasOf(primary: ClusterNode): Promise<ClusterNode[]> {
    const lines = await this.view();
    return this.#running().filter((_, i) => lines[i]?.primaryId === primary.id);
  }

  /** The node that says of itself that it serves the slot.
   *  Errors: rejects when none does. */
  async ownerOf(slot: number): Promise<ClusterNode> {
    const lines = await this.view();
    const at = lines.findIndex((line) => line.role === 'primary' && line.slots.some((r) => covers(r, slot)));
    if (at < 0) throw new Error(`no running node serves slot ${slot}`);
    return this.#running()[at] as ClusterNode;
  }

  /** Moves a slot with its keys while clients may go on using them, and resolves when all primaries have heard of it.
   *  Source: https://redis.io/docs/latest/commands/cluster-setslot/ (the new owner learns of it before the old one). */
  async moveSlot(slot: number, from: ClusterNode, to: ClusterNode, options: MoveOptions = {}): Promise<void> {
    const { batch = 100, between } = options;
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    await between?.();
    await withRedis(from, async (redis) => {
      for (;;) {
        const keys = await redis.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, batch);
        if ((keys as Buffer[]).length === 0) return;
        await redis.call('MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', ...(keys as Buffer[]));
        await between?.();
      }
    });
    await to.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    await tell(from, slot, to);
    const others = (await this.primaries()).filter((node) => node !== from && node !== to);
    await Promise.all(others.map((node) => tell(node, slot, to)));
  }

  /** Has a replica take its primary's place while both live, and waits until all nodes agree. */
  async failover(replica: ClusterNode): Promise<void> {
    await replica.call('CLUSTER', 'FAILOVER');
    await eventually('the replica is a primary', async () =>
      (await replica.line()).role === 'primary' ? true : undefined,
    );
    await this.settled();
  }

  /** Kills a node without a word. The others notice after the node time-out. */
  async kill9(node: ClusterNode): Promise<void> {
    node.isRunning = false;
    await node.server.kill('SIGKILL');
  }

  /** Starts a node again that was killed, as empty as it is in memory, and resolves when it answers; `settled` says when
   *  the others have taken it back. */
  async restart(node: ClusterNode): Promise<void> {
    await node.server.restart();
    node.isRunning = true;
  }

  /** Adds an empty primary, or a replica of `primary`. */
  async addNode(primary?: ClusterNode): Promise<ClusterNode> {
    const [node] = (await this.#start(1)) as [ClusterNode];
    await this.#introduce(node);
    await this.#allKnown();
    if (primary !== undefined) await node.call('CLUSTER', 'REPLICATE', primary.id);
    await this.settled();
    return node;
  }

  /** Ends a node and has all others forget it.
   *  Errors: rejects when it serves slots. */
  async removeNode(node: ClusterNode): Promise<void> {
    const { role, slots } = await node.line();
    if (role === 'primary' && slots.length > 0) throw new Error(`node ${node.port} still serves slots`);
    // First the end: a node that lives greets those that have forgotten it.
    node.isRunning = false;
    await node.server.stop();
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    await Promise.all(this.#running().map((other) => other.call('CLUSTER', 'FORGET', node.id)));
    await this.settled();
  }

  /** Resolves when every running node says cluster_state:ok, all agree on who is who and who serves what, and replicas
   *  have their primary's data. */
  async settled(timeoutMs?: number): Promise<void> {
    await eventually(
      'all nodes agree',
      async () => {
        const views = await Promise.all(this.#running().map(viewOf));
        return views.every((view) => view !== undefined && view === views[0]) ? true : undefined;
      },
      timeoutMs,
    );
  }

  /** Ends all nodes; does nothing the second time. */
  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.server.stop()));
  }

  #running(): ClusterNode[] {
    return this.#nodes.filter((node) => node.isRunning);
  }

  async #start(count: number): Promise<ClusterNode[]> {
    const ports = await freePorts(count * 2);
    const started = await Promise.allSettled(
      Array.from({ length: count }, (_, i) =>
        ClusterNode.start(
          {
            port: ports[2 * i] as number,
            busPort: ports[2 * i + 1] as number,
            nodeTimeoutMs: this.#nodeTimeoutMs,
            requiresFullCoverage: this.#requiresFullCoverage,
          },
          this.#startRedis,
        ),
      ),
    );
    const nodes = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    this.#nodes.push(...nodes);
    const failed = started.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return nodes;
  }

  /** To every node: gossip alone would take some seconds. */
  async #introduce(node: ClusterNode): Promise<void> {
    const others = this.#running().filter((other) => other !== node);
    await Promise.all(
      others.map((other) => other.call('CLUSTER', 'MEET', node.host, node.port, node.busPort)),
    );
  }

  async #allKnown(): Promise<void> {
    const nodes = this.#running();
    await eventually('all nodes know one another', async () => {
      const lists = await Promise.all(nodes.map((node) => node.lines()));
      return lists.every((lines) => lines.filter((line) => line.isKnown).length >= nodes.length)
        ? true
        : undefined;
    });
  }
}

/** A primary that has given its last slot away makes itself a replica as soon as it hears of it, and then it need not be told. */
async function tell(node: ClusterNode, slot: number, owner: ClusterNode): Promise<void> {
  try {
    await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', owner.id);
  } catch (error) {
    if (!String(error).includes('only with masters')) throw error;
  }
}

/** The cluster as one node sees it, as text to compare; undefined while that node is not content. */
async function viewOf(node: ClusterNode): Promise<string | undefined> {
  if (!(await node.info('CLUSTER')).includes('cluster_state:ok')) return undefined;
  const lines = await node.lines();
  if (lines.some((line) => !line.isKnown)) return undefined;
  if (lines.find((line) => line.id === node.id)?.role === 'replica') {
    const replication = await node.info('replication');
    if (!replication.includes('master_link_status:up')) return undefined;
  }
  const view = lines.map(({ id, role, primaryId, isFailed, slots }) =>
    [id, role, primaryId, isFailed, ...slots].join(' '),
  );
  return view.toSorted().join('\n');
}

function covers(range: string, slot: number): boolean {
  const [first = '', last = first] = range.split('-');
  return Number(first) <= slot && slot <= Number(last);
}
