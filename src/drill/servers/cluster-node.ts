import { callRedis } from './redis-call.ts';
import type { RedisServer } from './redis-backend.ts';
import type { StartRedis } from './redis-server.ts';

/** A line of CLUSTER NODES. Shape: `slots` are as in the line (`0-5460`, `7`), without those on the move. */
export interface NodeLine {
  readonly id: string;
  readonly role: 'primary' | 'replica';
  /** Of a replica; `-` otherwise. */
  readonly primaryId: string;
  /** Most nodes say so, not this one alone. */
  readonly isFailed: boolean;
  /** The handshake with it is over, and it has an address. */
  readonly isKnown: boolean;
  readonly slots: readonly string[];
}

export interface ClusterNodeOptions {
  readonly port: number;
  readonly busPort: number;
  readonly nodeTimeoutMs: number;
  readonly requiresFullCoverage: boolean;
}

/** One redis-server of a cluster. */
export class ClusterNode {
  readonly server: RedisServer;
  readonly busPort: number;
  readonly id: string;
  /** Kept by the cluster that it belongs to. */
  isRunning = true;

  private constructor(server: RedisServer, busPort: number, id: string) {
    this.server = server;
    this.busPort = busPort;
    this.id = id;
  }

  /** Starts a node that knows no other and serves no slots. */
  static async start(options: ClusterNodeOptions, startRedis: StartRedis): Promise<ClusterNode> {
    const { port, busPort, nodeTimeoutMs, requiresFullCoverage } = options;
    const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
    args.push('--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0');
    args.push('--cluster-require-full-coverage', requiresFullCoverage ? 'yes' : 'no');
    const server = await startRedis({ port, args });
    try {
      return new ClusterNode(server, busPort, String(await callRedis(server, ['CLUSTER', 'MYID'])));
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get host(): string {
    return this.server.host;
  }

  get port(): number {
    return this.server.port;
  }

  /** Errors: rejects with an error reply, or when the node cannot be reached. */
  call(...args: readonly (string | number)[]): Promise<unknown> {
    return callRedis(this.server, args);
  }

  /** CLUSTER INFO, or a section of INFO. */
  async info(section: string): Promise<string> {
    return String(await (section === 'CLUSTER' ? this.call('CLUSTER', 'INFO') : this.call('INFO', section)));
  }

  /** All nodes as this one sees them. */
  async lines(): Promise<NodeLine[]> {
    const text = String(await this.call('CLUSTER', 'NODES'));
    return text.trim().split('\n').map(readLine);
  }

  /** What it says of itself. */
  async line(): Promise<NodeLine> {
    const own = (await this.lines()).find(({ id }) => id === this.id);
    if (own === undefined) throw new Error(`node ${this.port} does not list itself`);
    return own;
  }
}

function readLine(line: string): NodeLine {
  const [id = '', , flagList = '', primaryId = '', , , , , ...slots] = line.split(' ');
  const flags = flagList.split(',');
  return {
    id,
    role: flags.includes('slave') ? 'replica' : 'primary',
    primaryId,
    isFailed: flags.includes('fail'),
    isKnown: !flags.includes('handshake') && !flags.includes('noaddr'),
    slots: slots.filter((slot) => !slot.startsWith('[')),
  };
}
