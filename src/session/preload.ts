import type { Clock } from '../base/clock.ts';
import type { HotRead } from '../cache/hot-key-list.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { EntryId } from '../cache/store.ts';
import type { CommandSpec } from '../command/spec.ts';
import { allCommands } from '../command/table.ts';
import type { Policy } from '../policy/policy.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import type { Upstream } from '../route/upstream.ts';
import { OwnCall } from '../shard/call.ts';
import type { Identity } from '../shard/identity.ts';
import { ANY_DB, type SharedConnection } from '../shard/shared-connection.ts';
import { maxTtlOf } from './start-read.ts';
import { PreloadCall } from './preload-call.ts';
import { TtlCall } from './read-call.ts';
import { shapeOf } from './shared-slot.ts';

const TICK_MS = 100;
/** Once one shard has answered, so long are the others waited for. */
const PATIENCE_MS = 10_000;
const OK = '+OK\r\n';

/** What became of the names. */
export class PreloadStats {
  /** Asked of Redis. */
  read = 0;
  /** Not asked: its shard was not there, it was in the near-cache already, or may not be kept. */
  skipped = 0;
  /** Lines that were none. */
  bad = 0;
}

/** Why it has ended. */
export type PreloadEnd = 'done' | 'full' | 'refused' | 'stopped';

/** Can the near-cache be asked for it by its key alone? */
export function isPreloadable(spec: CommandSpec): boolean {
  if (spec.name === 'exists') return true;
  return spec.cacheClass === 'A' && spec.onlyKey === 1 && (spec.arity === 2 || spec.arity === -2);
}

/** Reads keys into the near-cache for nobody, beside serving, as the user of nearcache's own connections.
 *  Bounds: `rate` keys a second, and what is read in a tenth of one at most unanswered. Ends when the store is full (something had
 *  to go), or Redis refuses: what is wrong for one name is probably wrong for the rest. */
export class Preload {
  readonly #rate: number;
  readonly #timeoutMs: number;
  readonly #parts: { cache: NearCache; upstream: Upstream; clock: Clock; stats: PreloadStats };
  readonly #ended: (why: PreloadEnd) => void;
  #names: readonly HotRead[] = [];
  #next = 0;
  #allowance = 0;
  #unanswered = 0;
  #firstReadyAt: number | undefined;
  #evictedBefore = 0;
  /** SELECTs under way or refused, by identity and database. */
  #asked = new Map<string, 'asked' | 'refused'>();
  #stop: () => void = () => undefined;

  constructor(
    options: { rate: number; timeoutMs: number },
    parts: { cache: NearCache; upstream: Upstream; clock: Clock; stats: PreloadStats },
    ended: (why: PreloadEnd) => void,
  ) {
    this.#rate = options.rate;
    this.#timeoutMs = options.timeoutMs;
    this.#parts = parts;
    this.#ended = ended;
  }

  start(names: readonly HotRead[]): void {
    this.#names = names;
    this.#evictedBefore = this.#parts.cache.store.stats.evicted;
    this.#stop = this.#parts.clock.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#end('stopped');
  }

  #end(why: PreloadEnd): void {
    if (this.#next === Infinity) return;
    this.#next = Infinity;
    this.#stop();
    this.#ended(why);
  }

  #tick(): void {
    if (!this.#isUpstreamThere()) return;
    const share = Math.max(1, (this.#rate * TICK_MS) / 1000);
    this.#allowance = Math.min(this.#allowance + (this.#rate * TICK_MS) / 1000, share);
    while (this.#allowance >= 1 && this.#unanswered < share) {
      if (this.#parts.cache.store.stats.evicted > this.#evictedBefore) return this.#end('full');
      const name = this.#names[this.#next];
      if (name === undefined) return this.#end('done');
      const outcome = this.#read(name);
      if (outcome === 'wait') return;
      this.#next++;
      this.#parts.stats[outcome]++;
      if (outcome === 'read') this.#allowance--;
    }
  }

  /** Have all shards answered, or will those that have not probably not do so soon? */
  #isUpstreamThere(): boolean {
    const { upstream, clock } = this.#parts;
    // Before the first view of a Cluster it is not known whom to ask, and what is redirected is not kept.
    if (upstream.kind === 'cluster' && upstream.version === 0) return false;
    const ready = upstream.shards.filter(({ own }) => own.shared.isReady).length;
    if (ready === 0) return false;
    this.#firstReadyAt ??= clock.now();
    return ready === upstream.shards.length || clock.now() - this.#firstReadyAt > PATIENCE_MS;
  }

  #read({ db, commandId, key }: HotRead): 'read' | 'skipped' | 'wait' {
    const { upstream, cache, clock } = this.#parts;
    // While keys move a command has to be let through, or goes after them.
    if (upstream.isChanging === true) return 'skipped';
    const place = upstream.placeOf(key, 0, key.length);
    const own = upstream.shardAt(place)?.own;
    if (own === undefined || !isUsable(own.shared)) return 'skipped';
    const enters = this.#mayEnter(own, db);
    if (enters !== 'yes') return enters;
    const spec = allCommands()[commandId] as CommandSpec;
    const policy = cache.policies.of(key, 0, key.length);
    const id = idOf(key, spec, upstream.spaceAt(place, db), own.shared.generation.fence);
    const name = key.toString('latin1');
    const isKnown = cache.find(id, 3, clock.now()) || cache.findRead(name, id, clock.now()) !== undefined;
    if (isKnown || !mayBeKept(cache, policy, id, name)) return 'skipped';
    this.#send(own, { id, name, spec, policy, db });
    return 'read';
  }

  #send(
    { shared }: Identity,
    read: { id: EntryId; name: string; spec: CommandSpec; policy: Policy; db: number },
  ): void {
    const { id, name, spec, policy, db } = read;
    const { cache, clock } = this.#parts;
    const plan = {
      generation: shared.generation,
      sentAt: clock.now(),
      policy,
      maxTtlMs: maxTtlOf(spec, shared, policy),
    };
    const flight = cache.startFlight(id, name, plan);
    this.#unanswered++;
    const call = new PreloadCall(cache, flight, { shape: shapeOf(spec), clock }, (isRefused) => {
      this.#unanswered--;
      if (isRefused) this.#end('refused');
    });
    call.timeoutMs = this.#timeoutMs;
    flight.read = call;
    const key = id.bytes;
    const bytes = Buffer.concat([encodeRequest(['PTTL', key]), encodeRequest([spec.name, key])]);
    shared.submitBlock([new TtlCall(flight), call], bytes, 0, bytes.length, db);
    call.position = shared.position;
  }

  /** A SELECT that is refused on the shared connection would cost every session its link: it is tried on the control connection first. */
  #mayEnter(own: Identity, db: number): 'yes' | 'wait' | 'skipped' {
    if (own.databases.has(db)) return 'yes';
    if (this.#parts.upstream.kind === 'cluster' || own.shared.server?.isCluster === true) return 'skipped';
    const name = `${own.number} ${db}`;
    const known = this.#asked.get(name);
    if (known !== undefined) return known === 'asked' ? 'wait' : 'skipped';
    this.#asked.set(name, 'asked');
    const bytes = encodeRequest(['SELECT', String(db)]);
    const call = new OwnCall((reply) => {
      if (reply?.toString('latin1') === OK) own.databases.add(db);
      this.#asked.set(name, 'refused');
    }, this.#timeoutMs);
    call.sentAt = this.#parts.clock.now();
    own.control.submit(call, bytes, 0, bytes.length, ANY_DB);
    return 'wait';
  }
}

function isUsable(shared: SharedConnection): boolean {
  const { generation } = shared;
  const isWell = shared.obstacle === undefined && !shared.isFull;
  return shared.isReady && isWell && generation.isAlive && generation.isTracking;
}

function idOf(key: Buffer, spec: CommandSpec, db: number, fence: number): EntryId {
  const end = key.length;
  return {
    bytes: key,
    keyStart: 0,
    keyEnd: end,
    argsStart: end,
    argsEnd: end,
    commandId: spec.id,
    db,
    fence,
  };
}

function mayBeKept(cache: NearCache, policy: Policy, { bytes, db, fence }: EntryId, name: string): boolean {
  // Who hears of a nil under a lease is not for a read to decide that nobody asked for.
  if (!policy.isCached || policy.lease !== undefined || db < 0) return false;
  if (bytes.length > cache.options.maxKeyBytes) return false;
  return !cache.isHeldOff(name) && !cache.isClosed(name, fence);
}
