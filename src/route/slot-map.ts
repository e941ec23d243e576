import type { ClusterView } from './cluster-nodes.ts';
import { SLOTS } from './hash-slot.ts';
import { type Claim, type DatedView, settle } from './slot-claims.ts';
import { type NodeChanges, type SlotNode, SlotNodes } from './slot-nodes.ts';

/** What a view changed. */
export interface SlotChanges extends NodeChanges {
  /** How many slots have another owner, or none, or one at last. */
  readonly slots: number;
  /** The view was refused: none of the nodes that were heard lately knows the node it came from. */
  readonly isForeign: boolean;
}

/** Units: ms. */
export interface SlotMapOptions {
  /** A slot is left uncached for so long after a redirect. */
  readonly redirectWindowMs: number;
  /** How much older than the newest view one may be before it counts no longer for what it says of others. */
  readonly viewLifeMs: number;
}

/** What a MOVED taught, until a view knows better. */
interface Rumour {
  readonly node: SlotNode;
  /** Of the claim it contradicts; -1 = there is none. */
  readonly epoch: number;
  /** Id of the node whose claim that is; empty = nobody's. */
  readonly claimant: string;
  readonly at: number;
  /** Changes of owner by redirects since the last view. */
  turns: number;
}

/** Nodes that redirect to each other change the map no more after so many turns. */
const TURNS_MAX = 5;

/** Which node of a Redis Cluster owns each slot, from what several nodes say and from redirects.
 *
 *  Each slot has an incarnation, which entries of the near-cache carry: raising it makes all entries of the slot unreachable
 *  at once, answers "no such key" included, about which no invalidation would come from the node that the slot has left.
 *  Who reads a key notes the incarnation when the read is sent and caches the reply only if it is still the same and
 *  `isMoving` was false both times.
 *  Not seen: a slot that leaves and is back before any view or redirect told. Keys that move by MIGRATE invalidate then.
 *  Units: all times are monotonic ms. Bounds: an incarnation has 16 bits; so many raises take hours, as redirects raise at
 *  most once in `redirectWindowMs`, and `TURNS_MAX` times between two views.
 *  Source: coherence spec §8 and R11. */
export class SlotMap {
  readonly #options: SlotMapOptions;
  /** The newest view of each node that was asked. */
  readonly #views = new Map<string, DatedView>();
  readonly #nodes = new SlotNodes();
  readonly #rumours = new Map<number, Rumour>();
  #claims: readonly (Claim | undefined)[] = Array<Claim | undefined>(SLOTS).fill(undefined);
  readonly #owners: (SlotNode | undefined)[] = Array<SlotNode | undefined>(SLOTS).fill(undefined);
  readonly #incarnations = new Uint16Array(SLOTS);
  #moving = new Uint8Array(SLOTS);
  readonly #redirectedAt: Float64Array = new Float64Array(SLOTS).fill(Number.NEGATIVE_INFINITY);
  #newestAt = Number.NEGATIVE_INFINITY;
  #version = 0;
  #ownedSlots = 0;

  constructor(options: SlotMapOptions) {
    this.#options = options;
  }

  /** Raised whenever a slot gets another owner. */
  get version(): number {
    return this.#version;
  }

  /** How many slots have an owner. Bounds: 0 to 16,384. */
  get ownedSlots(): number {
    return this.#ownedSlots;
  }

  /** Every node that views name, by its id; an owner that only a redirect has named is not among them. */
  get nodes(): ReadonlyMap<string, SlotNode> {
    return this.#nodes.named;
  }

  /** Undefined = nobody is known to own it. */
  ownerOf(slot: number): SlotNode | undefined {
    return this.#owners[slot];
  }

  incarnationOf(slot: number): number {
    return this.#incarnations[slot] as number;
  }

  /** Nothing of the slot may be cached: a node is giving it away or taking it over, or a redirect was seen just now. */
  isMoving(slot: number, now: number): boolean {
    return (
      this.#moving[slot] === 1 || now - (this.#redirectedAt[slot] as number) < this.#options.redirectWindowMs
    );
  }

  /** Takes in what a node said that was asked at `at`; an older view than is known of the same node changes nothing. */
  apply(view: ClusterView, at: number): SlotChanges {
    const isForeign = !this.#isFromHere(view.self.id, at);
    if (isForeign || (this.#views.get(view.self.id)?.at ?? at) > at) return { ...NO_CHANGES, isForeign };
    this.#views.set(view.self.id, { view, at });
    this.#newestAt = Math.max(this.#newestAt, at);
    this.#forgetLostViews();
    const { nodes, owners } = settle(this.#views.values(), this.#freshFrom);
    this.#claims = owners;
    const changes = this.#nodes.update(nodes);
    this.#settleRumours(view, at);
    const slots = this.#updateSlots();
    const strangers = this.#nodes.keepStrangers(new Set([...this.#rumours.values()].map(({ node }) => node)));
    return { ...changes, removed: [...changes.removed, ...strangers], slots, isForeign };
  }

  /** A node replied MOVED: the slot is its that listens at this address, until a view that was asked for later has a higher
   *  epoch for the slot, or comes from that node or from the one that it takes the slot from; what others say may be old.
   *  Returns the owner after that: nodes that redirect to each other do not turn it for ever.
   *  Shape: `host` is not empty: the caller puts in the host that replied. */
  moved(slot: number, host: string, port: number, now: number): SlotNode {
    this.asked(slot, now);
    const owner = this.#owners[slot];
    const turns = this.#rumours.get(slot)?.turns ?? 0;
    if (owner !== undefined && (owner.listensAt(host, port) || turns >= TURNS_MAX)) return owner;
    const node = this.#nodes.at(host, port);
    const claim = this.#claims[slot]?.node;
    const [epoch, claimant] = [claim?.configEpoch ?? -1, claim?.id ?? ''];
    this.#rumours.set(slot, { node, epoch, claimant, at: now, turns: turns + 1 });
    this.#setOwner(slot, node);
    this.#version++;
    return node;
  }

  /** A node replied ASK: keys of the slot are in two places. While a slot is moving nothing of it is cached, so that a flood
   *  of redirects need not raise again. */
  asked(slot: number, now: number): void {
    if (!this.isMoving(slot, now)) this.#raise(slot);
    this.#redirectedAt[slot] = now;
  }

  get #freshFrom(): number {
    return this.#newestAt - this.#options.viewLifeMs;
  }

  /** An address may have passed to a node of another cluster, whose epochs say nothing here. */
  #isFromHere(nodeId: string, at: number): boolean {
    let isAlone = true;
    for (const [id, known] of this.#views) {
      if (id === nodeId || known.at < at - this.#options.viewLifeMs) continue;
      if (lists(known, nodeId)) return true;
      isAlone = false;
    }
    return isAlone;
  }

  /** The view of a node that could not be asked for long counts only while others know the node. */
  #forgetLostViews(): void {
    const fresh = [...this.#views.values()].filter(({ at }) => at >= this.#freshFrom);
    for (const [id, { at }] of this.#views) {
      if (at < this.#freshFrom && !fresh.some((other) => lists(other, id))) this.#views.delete(id);
    }
  }

  #settleRumours(view: ClusterView, at: number): void {
    if (this.#rumours.size === 0) return;
    const epochs = epochsOf(view);
    for (const [slot, rumour] of this.#rumours) {
      const isParty = view.self.id === rumour.node.id || view.self.id === rumour.claimant;
      const isNews = at >= rumour.at && (isParty || (epochs[slot] as number) > rumour.epoch);
      if (isNews || !this.#nodes.has(rumour.node)) this.#rumours.delete(slot);
      else rumour.turns = 0;
    }
  }

  #updateSlots(): number {
    const moving = this.#movingSlots();
    let changed = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      const claim = this.#claims[slot];
      const claimant = claim === undefined ? undefined : this.#nodes.named.get(claim.node.id);
      const owner = this.#rumours.get(slot)?.node ?? claimant;
      if (owner !== this.#owners[slot]) {
        this.#setOwner(slot, owner);
        changed++;
      } else if (moving[slot] !== this.#moving[slot]) {
        this.#raise(slot);
      }
    }
    this.#moving = moving;
    if (changed > 0) this.#version++;
    return changed;
  }

  #movingSlots(): Uint8Array<ArrayBuffer> {
    const moving = new Uint8Array(SLOTS);
    for (const { view } of this.#views.values()) {
      for (const slot of view.movingSlots) moving[slot] = 1;
    }
    return moving;
  }

  #setOwner(slot: number, owner: SlotNode | undefined): void {
    this.#ownedSlots += Number(owner !== undefined) - Number(this.#owners[slot] !== undefined);
    this.#owners[slot] = owner;
    this.#raise(slot);
  }

  #raise(slot: number): void {
    this.#incarnations[slot] = this.incarnationOf(slot) + 1;
  }
}

const NO_CHANGES = { slots: 0, added: [], removed: [], roleChanged: [], readdressed: [] };

function lists({ view }: DatedView, id: string): boolean {
  return view.nodes.some((node) => node.id === id && !node.isHandshake);
}

/** The highest epoch with which a view gives each slot to somebody; -1 = to nobody. */
function epochsOf(view: ClusterView): Float64Array {
  const epochs = new Float64Array(SLOTS).fill(-1);
  for (const { slots, configEpoch } of view.nodes) {
    for (const { first, last } of slots) {
      for (let slot = first; slot <= last; slot++) {
        epochs[slot] = Math.max(configEpoch, epochs[slot] as number);
      }
    }
  }
  return epochs;
}
