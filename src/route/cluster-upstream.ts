import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { parseReply } from '../protocol/reply-parser.ts';
import { OwnCall } from '../shard/call.ts';
import type { Shard } from '../shard/shard.ts';
import type { Waiter } from '../shard/shared-options.ts';
import { ANY_DB } from '../shard/shared-connection.ts';
import { Waiters } from '../shard/waiters.ts';
import { type ClusterView, parseClusterNodes } from './cluster-nodes.ts';
import { SLOTS, slotOf } from './hash-slot.ts';
import { SlotMap } from './slot-map.ts';
import type { SlotNode } from './slot-nodes.ts';
import type { Redirects, Upstream } from './upstream.ts';

export interface ClusterOptions {
  readonly seeds: readonly { readonly host: string; readonly port: number }[];
  /** How often each node is asked what it serves. */
  readonly refreshMs: number;
  readonly timeoutMs: number;
}

/** What makes and ends the shards; a Cluster's nodes come and go. */
export interface ShardSource {
  make(name: string, host: string, port: number): Shard;
  retire(shard: Shard): void;
}

const NODES = encodeRequest(['CLUSTER', 'NODES']);
/** After a redirect nothing of the slot is cached for so long: keys of it may be in two places. */
const REDIRECT_WINDOW_MS = 1000;
/** A view may be so many refreshes old. */
const VIEW_LIVES = 20;
const TICK_MS = 25;

/** A Redis Cluster that nearcache follows: one shard for each primary, by the views of all of them. Each primary is asked
 *  itself, again and again, what it serves and which slots are leaving it: a slot's move sends no invalidation of what is not
 *  there (coherence spec §8), so entries of a node may be served only as long as it has confirmed its slots (R11).
 *  Places are slots. */
export class ClusterUpstream implements Upstream {
  readonly kind = 'cluster';
  readonly isSingle = false;
  readonly redirects: Redirects = this;
  readonly #options: ClusterOptions;
  readonly #source: ShardSource;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #map: SlotMap;
  readonly #byNode = new Map<SlotNode, Shard>();
  /** Shards at the addresses that were configured, until a view says which nodes they are. */
  readonly #seeds = new Set<Shard>();
  /** Shards that are not used any more, and until when they may still answer. */
  readonly #leaving = new Map<Shard, number>();
  readonly #asked = new Map<Shard, { at: number; isOut: boolean }>();
  #shards: readonly Shard[] = [];
  #hasView = false;
  /** Without a view it is worth waiting for one until then. */
  #learnUntil = Number.NEGATIVE_INFINITY;
  readonly #waiters = new Waiters();
  #stop: () => void = () => undefined;

  constructor(options: ClusterOptions, parts: { source: ShardSource; clock: Clock; log: Logger }) {
    this.#options = options;
    this.#source = parts.source;
    this.#clock = parts.clock;
    this.#log = parts.log;
    const viewLifeMs = options.refreshMs * VIEW_LIVES;
    this.#map = new SlotMap({ redirectWindowMs: REDIRECT_WINDOW_MS, viewLifeMs });
    for (const { host, port } of options.seeds) {
      this.#seeds.add(this.#source.make(`${host}:${port}`, host, port));
    }
    this.#list();
  }

  get version(): number {
    return this.#map.version;
  }

  get shards(): readonly Shard[] {
    return this.#shards;
  }

  get home(): Shard {
    return this.#shards.find(({ own }) => own.shared.isReady) ?? (this.#shards[0] as Shard);
  }

  placeOf(bytes: Buffer, start: number, end: number): number {
    return slotOf(bytes, start, end);
  }

  placeOfChannel(bytes: Buffer, start: number, end: number): number {
    return slotOf(bytes, start, end);
  }

  shardAt(slot: number): Shard | undefined {
    const node = this.#map.ownerOf(slot);
    if (node !== undefined) return this.#byNode.get(node);
    // Before the first view, redirects tell of single slots: of the others any node will say where they are.
    return this.#hasView ? undefined : this.home;
  }

  /** A transaction that is sent to the wrong node cannot follow a redirect. */
  isLearning(waiter: Waiter): boolean {
    if (!this.#isLearning) return false;
    this.#waiters.add(waiter);
    return true;
  }

  spaceAt(slot: number): number {
    return this.#map.isMoving(slot, this.#clock.now()) ? -1 : this.#map.incarnationOf(slot);
  }

  /** A node has answered MOVED; returns whom to ask now. `from` replied, whose host is meant when none is named. */
  moved(slot: number, host: string, port: number, from: Shard): Shard {
    const node = this.#map.moved(slot, host === '' ? from.address.host : host, port, this.#clock.now());
    this.#refreshSoon();
    return this.#shardOf(node);
  }

  /** A node has answered ASK. */
  asked(slot: number, host: string, port: number, from: Shard): Shard {
    this.#map.asked(slot, this.#clock.now());
    const at = host === '' ? from.address.host : host;
    for (const node of this.#map.nodes.values()) if (node.listensAt(at, port)) return this.#shardOf(node);
    return this.moved(slot, at, port, from);
  }

  start(): void {
    this.#learnUntil = this.#clock.now() + this.#options.timeoutMs;
    for (const shard of this.#shards) shard.start();
    this.#stop = this.#clock.every(TICK_MS, () => this.#tick());
  }

  close(): void {
    this.#stop();
    for (const shard of new Set([...this.#shards, ...this.#seeds, ...this.#leaving.keys()]))
      this.#source.retire(shard);
  }

  #tick(): void {
    const now = this.#clock.now();
    if (!this.#isLearning) this.#waiters.wakeAll();
    for (const [shard, until] of this.#leaving) {
      if (now < until && isBusy(shard)) continue;
      this.#leaving.delete(shard);
      this.#source.retire(shard);
    }
    for (const shard of this.#shards) {
      const asked = this.#asked.get(shard);
      if (asked?.isOut === true || now - (asked?.at ?? Number.NEGATIVE_INFINITY) < this.#options.refreshMs)
        continue;
      if (shard.own.control.state !== 'down') this.#ask(shard, now);
    }
  }

  /** Nobody has said yet who has which slot, but some node may still say so. */
  get #isLearning(): boolean {
    if (this.#hasView || this.#clock.now() >= this.#learnUntil) return false;
    return this.#shards.some(({ own }) => own.control.state !== 'down');
  }

  #ask(shard: Shard, now: number): void {
    const asked = { at: now, isOut: true };
    this.#asked.set(shard, asked);
    const call = new OwnCall((reply) => {
      asked.isOut = false;
      if (reply !== undefined && this.#asked.get(shard) === asked) this.#answered(shard, reply, now);
    }, this.#options.timeoutMs);
    call.sentAt = now;
    shard.own.control.submit(call, NODES, 0, NODES.length, ANY_DB);
  }

  #answered(shard: Shard, reply: Buffer, askedAt: number): void {
    const text = parseReply(reply, 0, reply.length);
    if (typeof text !== 'string') return;
    let view: ClusterView;
    try {
      view = parseClusterNodes(text, shard.address.host);
    } catch (error) {
      this.#log.warn({ shard: shard.name, reason: String(error) }, 'CLUSTER NODES was not understood');
      return;
    }
    const changes = this.#map.apply(view, askedAt);
    if (changes.isForeign) {
      this.#log.warn({ shard: shard.name }, 'a node of another Cluster: it is not listened to');
      return;
    }
    this.#hasView ||= this.#map.ownedSlots > 0;
    this.#adopt(shard, view.self.id);
    for (const node of changes.readdressed) this.#byNode.get(node)?.moveTo(node.host, node.port);
    for (const node of changes.removed) this.#drop(node);
    this.#follow();
    if (this.#hasView) this.#waiters.wakeAll();
    if (changes.slots > 0) this.#log.info({ count: changes.slots }, 'slots have another owner');
    // What it said of its own slots is taken in: entries that it has filled are as good as at the time of the question.
    const isSure = view.self.role === 'primary' && seesMajority(view);
    if (isSure && shard.confirmation !== undefined) shard.confirmation.askedAt = askedAt;
  }

  /** A configured address has turned out to be this node. */
  #adopt(shard: Shard, id: string): void {
    if (!this.#seeds.delete(shard)) return;
    const node = this.#map.nodes.get(id);
    if (node === undefined || this.#byNode.has(node) || node.role === 'replica') this.#retire(shard);
    else this.#byNode.set(node, shard);
  }

  /** One shard for each primary with slots, and none for what is no primary any more. */
  #follow(): void {
    const owners = new Set<SlotNode>();
    for (let slot = 0; slot < SLOTS; slot++) {
      const owner = this.#map.ownerOf(slot);
      if (owner !== undefined) owners.add(owner);
    }
    for (const owner of owners) this.#nameTag(owner, this.#shardOf(owner));
    for (const node of this.#byNode.keys())
      if (node.role === 'replica' && !owners.has(node)) this.#drop(node);
    for (const [node, shard] of this.#byNode) shard.replicas?.follow(this.#replicasOf(node));
    this.#list();
  }

  /** A key with this tag is the shard's own, for its canary. */
  #nameTag(node: SlotNode, shard: Shard): void {
    const owns = (tag: string): boolean => {
      const bytes = Buffer.from(tag);
      return this.#map.ownerOf(slotOf(bytes, 0, bytes.length)) === node;
    };
    if (shard.keyTag !== '' && owns(shard.keyTag)) return;
    for (let i = 0; i < SLOTS; i++) {
      shard.keyTag = `{${i}}`;
      if (owns(shard.keyTag)) return;
    }
  }

  #replicasOf({ id }: SlotNode): SlotNode[] {
    return [...this.#map.nodes.values()].filter(
      ({ role, primaryId, health, host, port }) =>
        role === 'replica' && primaryId === id && health !== 'failed' && host !== '' && port > 0,
    );
  }

  #shardOf(node: SlotNode): Shard {
    const known = this.#byNode.get(node);
    if (known !== undefined) return known;
    const seed = this.#seedAt(node);
    const shard = seed ?? this.#source.make(`${node.host}:${node.port}`, node.host, node.port);
    this.#byNode.set(node, shard);
    if (seed === undefined) shard.start();
    this.#list();
    return shard;
  }

  /** A configured address that need not tell whose it is: it is the node's. It is none of the seeds any more. */
  #seedAt(node: SlotNode): Shard | undefined {
    for (const seed of this.#seeds) {
      if (!node.listensAt(seed.address.host, seed.address.port)) continue;
      this.#seeds.delete(seed);
      return seed;
    }
    return undefined;
  }

  #drop(node: SlotNode): void {
    const shard = this.#byNode.get(node);
    this.#byNode.delete(node);
    if (shard !== undefined) this.#retire(shard);
  }

  /** What is on its way there is answered first: by redirects, if the node lives and has its slots no more. */
  #retire(shard: Shard): void {
    this.#asked.delete(shard);
    this.#list();
    this.#leaving.set(shard, this.#clock.now() + this.#options.timeoutMs);
  }

  #list(): void {
    const shards = [...this.#byNode.values(), ...this.#seeds];
    if (shards.length > 0) this.#shards = shards.toSorted((a, b) => a.number - b.number);
  }

  #refreshSoon(): void {
    for (const asked of this.#asked.values()) asked.at = Number.NEGATIVE_INFINITY;
  }
}

/** A primary that does not see most of the others may have been replaced by them without a word (as Redis counts: those with slots). */
function seesMajority({ nodes }: ClusterView): boolean {
  const voters = nodes.filter(({ role, slots }) => role === 'primary' && slots.length > 0);
  return voters.filter(({ health }) => health === 'online').length > voters.length / 2;
}

function isBusy(shard: Shard): boolean {
  for (const { shared } of shard.identities) if (shared.inFlight > 0) return true;
  return false;
}
