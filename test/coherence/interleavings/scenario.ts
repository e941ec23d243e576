import type { FakeClient } from './fake-client.ts';
import type { Choose } from './explore.ts';
import { complaint, type Scope } from './judge.ts';
import { Line, nameOf } from './keyspace.ts';
import type { ServerLink } from './server-link.ts';
import { type Piece, PREFIXES, World } from './world.ts';

export type Request = readonly string[];

/** What apps and other programs do; when, is up to the schedule. */
export interface Scenario {
  readonly name: string;
  readonly keys: readonly string[];
  /** Writes before everything. */
  readonly before?: readonly Request[];
  /** Reads whose replies are in the cache when the schedule begins. */
  readonly warm?: readonly Request[];
  /** By client: packets of requests, which it sends without waiting for replies. */
  readonly clients: Readonly<Record<string, readonly (readonly Request[])[]>>;
  readonly outside?: readonly Request[];
  /** How often the shared connection is cut. */
  readonly cuts?: number;
  /** Time that passes, and how much. Units: ms. */
  readonly pauses?: readonly number[];
  readonly scope?: Scope;
  readonly piece?: Piece;
}

/** Play a scenario, where `choose` decides what happens next, to its end; then compare the cache with Redis.
 *  Errors: throws with the whole schedule when a rule is broken. */
export function play(scenario: Scenario, choose: Choose): void {
  World.run((world) => {
    const start = prepare(world, scenario);
    try {
      const actors = new Actors(world, scenario);
      for (let moves = actors.moves(); moves.length > 0; moves = actors.moves()) {
        (moves[choose(moves.length)] as () => void)();
        world.settle();
      }
      conclude(world, scenario.keys, scenario.scope ?? 'always');
    } catch (error) {
      throw withSchedule(error, world.trace.slice(start));
    }
  });
}

/** The error, and what led to it. */
export function withSchedule(error: unknown, trace: readonly string[]): Error {
  const what = error instanceof Error ? error.message : String(error);
  return new Error(`${what}\nSchedule:\n${trace.map((line) => `  ${line}`).join('\n')}`, { cause: error });
}

/** Returns where the schedule begins in the trace. */
function prepare(world: World, { before = [], warm = [] }: Scenario): number {
  for (const args of before) world.outside(args);
  if (warm.length > 0) world.send(world.client('warm'), warm);
  world.settleLinks();
  return world.trace.length;
}

/** What may happen next in a scenario. A server's step has no effect on nearcache until it is delivered, so commands run when
 *  their answer is delivered; only where another program's write, time or the cut of the link falls among them is chosen, and
 *  with two links which of them runs first. */
class Actors {
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #clients: { client: FakeClient; packets: (readonly Request[])[] }[];
  readonly #outside: Request[];
  readonly #pauses: number[];
  #cuts: number;

  constructor(world: World, scenario: Scenario) {
    this.#world = world;
    this.#scenario = scenario;
    this.#clients = Object.entries(scenario.clients).map(([name, packets]) => ({
      client: world.client(name),
      packets: [...packets],
    }));
    this.#outside = [...(scenario.outside ?? [])];
    this.#pauses = [...(scenario.pauses ?? [])];
    this.#cuts = scenario.cuts ?? 0;
    world.settle();
  }

  moves(): (() => void)[] {
    const { links } = this.#world.redis;
    return [
      ...this.#clients.filter(({ packets }) => packets.length > 0).map((each) => () => this.#send(each)),
      ...links.flatMap((link) => this.#movesOf(link)),
      ...(this.#outside.length > 0 ? this.#amongPending(() => this.#writeOutside()) : []),
      ...(this.#pauses.length > 0 ? this.#amongPending(() => this.#pass()) : []),
      ...this.#cutMoves(),
    ];
  }

  #send({ client, packets }: { client: FakeClient; packets: (readonly Request[])[] }): void {
    this.#world.send(client, packets.shift() as readonly Request[]);
  }

  #movesOf(link: ServerLink): (() => void)[] {
    const { state, pending, output } = link;
    if (state === 'connecting') return [() => this.#greet(link)];
    const run = (): void => this.#run(link, pending.length);
    if (state === 'lost') return pending.length > 0 ? [run] : [];
    return [
      ...(pending.length > 0 || output.length > 0 ? [() => this.#deliver(link)] : []),
      ...(link.isTracking && pending.length > 0 && this.#hasOtherLink(link) ? [run] : []),
    ];
  }

  /** With two links it matters which of their commands runs first. */
  #hasOtherLink(link: ServerLink): boolean {
    return this.#world.redis.links.some(({ id, state }) => id !== link.id && state === 'open');
  }

  /** The link opens and its handshake is answered: what is held until then leaves. */
  #greet(link: ServerLink): void {
    const world = this.#world;
    world.open(link);
    world.settle();
    this.#run(link, link.pending.length);
    if (link.output.length > 0) world.deliver(link, 'all');
  }

  #deliver(link: ServerLink): void {
    const piece = this.#scenario.piece ?? 'answer';
    if (piece === 'all') this.#run(link, link.pending.length);
    while (link.pending.length > 0 && !this.#hasAnswer(link)) this.#run(link, 1);
    this.#world.deliver(link, piece);
  }

  #hasAnswer(link: ServerLink): boolean {
    return link.output.some(({ of }) => !PREFIXES.has(of));
  }

  #run(link: ServerLink, count: number): void {
    for (let i = 0; i < count; i++) this.#world.runNext(link);
  }

  /** `act` after none, one, … or all of the commands that have come have run. */
  #amongPending(act: () => void): (() => void)[] {
    const afterNone = [act];
    const afterSome = this.#world.redis.links
      .filter(({ state }) => state === 'open')
      .flatMap((link) =>
        link.pending.map((_, i) => () => {
          this.#run(link, i + 1);
          act();
        }),
      );
    return [...afterNone, ...afterSome];
  }

  #pass(): void {
    this.#world.advance(this.#pauses.shift() as number);
  }

  #writeOutside(): void {
    this.#world.outside(this.#outside.shift() as Request);
  }

  #cutMoves(): (() => void)[] {
    const link = this.#world.redis.links.findLast(({ isTracking, state }) => isTracking && state === 'open');
    if (this.#cuts === 0 || link === undefined) return [];
    const cut = (keepsRunning: boolean) => (): void => {
      this.#cuts--;
      this.#world.cut(link, keepsRunning);
    };
    return [...this.#amongPending(cut(false)), ...(link.pending.length > 0 ? [cut(true)] : [])];
  }
}

/** Let everything arrive, judge what was told, and look at what is left in the cache: it must be what Redis has, and it must
 *  be there, since a cache that is always empty would break no rule.
 *  Errors: throws what is wrong. */
export function conclude(world: World, keys: readonly string[], scope: Scope): void {
  world.recover();
  const silent = world.clients.find((client) => !client.isDone);
  if (silent !== undefined) throw new Error(`${silent.name} is never answered`);
  const { redis } = world;
  const probe = world.client('probe');
  const final = redis.snapshots.at(-1)?.data;
  for (const key of keys) {
    for (const time of ['first', 'second']) {
      const before = redis.commands;
      world.send(probe, [['GET', key]]);
      world.settleLinks();
      const mustHit = time === 'second' && final?.get(nameOf(0, key))?.expiresAt === undefined;
      if (mustHit && redis.commands !== before) throw new Error(`${key} is not cached any more`);
    }
  }
  const told = probe.operations.map(({ reply }) => (reply instanceof Line ? reply.text : reply));
  const expected = keys.flatMap((key) => [key, key]).map((key) => final?.get(nameOf(0, key))?.value ?? null);
  if (JSON.stringify(told) !== JSON.stringify(expected)) {
    throw new Error(`at the end the cache has ${JSON.stringify(told)}, Redis ${JSON.stringify(expected)}`);
  }
  const wrong = complaint(world.operations, redis.snapshots, scope);
  if (wrong !== undefined) throw new Error(wrong);
}
