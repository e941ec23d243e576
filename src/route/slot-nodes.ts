import type { ClusterNode } from './cluster-nodes.ts';
import type { Claim } from './slot-claims.ts';

/** A node of the cluster as the slot map knows it: one object for as long as the node is known, changed by the map alone. */
export class SlotNode {
  /** Empty until a view names the node: only a redirect has named its address so far. */
  id = '';
  host: string;
  port: number;
  hostname = '';
  role: ClusterNode['role'] = 'primary';
  /** Of a replica; empty otherwise. */
  primaryId = '';
  health: ClusterNode['health'] = 'online';

  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }

  /** A redirect names the address or the host name, as the cluster is configured. */
  listensAt(host: string, port: number): boolean {
    return this.port === port && (this.host === host || this.hostname === host);
  }
}

/** What became of the nodes. */
export interface NodeChanges {
  readonly added: readonly SlotNode[];
  readonly removed: readonly SlotNode[];
  readonly roleChanged: readonly SlotNode[];
  /** Known nodes that are reached elsewhere from now on. */
  readonly readdressed: readonly SlotNode[];
}

/** The nodes of a slot map: those that views name, and strangers, of whom only a redirect has told. */
export class SlotNodes {
  readonly #named = new Map<string, SlotNode>();
  readonly #strangers = new Set<SlotNode>();

  /** Every node that views name, by its id. */
  get named(): ReadonlyMap<string, SlotNode> {
    return this.#named;
  }

  has(node: SlotNode): boolean {
    return this.#named.get(node.id) === node || this.#strangers.has(node);
  }

  /** The node that a redirect names; a stranger when nobody is known there. Shape: `host` is not empty. */
  at(host: string, port: number): SlotNode {
    for (const node of this.#named.values()) if (node.listensAt(host, port)) return node;
    for (const node of this.#strangers) if (node.listensAt(host, port)) return node;
    const stranger = new SlotNode(host, port);
    this.#strangers.add(stranger);
    return stranger;
  }

  /** Takes in what is believed now of every node. */
  update(claims: ReadonlyMap<string, Claim>): NodeChanges {
    const removed = [...this.#named.values()].filter(({ id }) => !claims.has(id));
    for (const { id } of removed) this.#named.delete(id);
    const added: SlotNode[] = [];
    const roleChanged: SlotNode[] = [];
    const readdressed: SlotNode[] = [];
    for (const { node: said } of claims.values()) {
      const known = this.#named.get(said.id);
      const node = known ?? this.#strangerOf(said) ?? new SlotNode(said.host, said.port);
      if (known === undefined) added.push(node);
      else if (known.role !== said.role) roleChanged.push(node);
      const hasMoved = said.port !== 0 && (node.host !== said.host || node.port !== said.port);
      if (hasMoved && known !== undefined) readdressed.push(node);
      if (hasMoved) Object.assign(node, { host: said.host, port: said.port });
      const { id, hostname, role, primaryId, health } = said;
      Object.assign(node, { id, hostname, role, primaryId, health });
      this.#named.set(id, node);
    }
    return { added, removed, roleChanged, readdressed };
  }

  /** Forgets the strangers that are not among these. */
  keepStrangers(wanted: ReadonlySet<SlotNode>): SlotNode[] {
    const gone = [...this.#strangers].filter((stranger) => !wanted.has(stranger));
    for (const stranger of gone) this.#strangers.delete(stranger);
    return gone;
  }

  /** A stranger stays the same object when a view names it. */
  #strangerOf({ host, port, hostname }: ClusterNode): SlotNode | undefined {
    for (const stranger of this.#strangers) {
      if (stranger.port !== port || (stranger.host !== host && stranger.host !== hostname)) continue;
      this.#strangers.delete(stranger);
      return stranger;
    }
    return undefined;
  }
}
