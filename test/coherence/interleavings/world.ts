import { ManualClock } from '../../support/manual-clock.ts';
import { network } from './dial.ts';
import { FakeClient, type Moment, type Operation } from './fake-client.ts';
import { FakeRedis } from './fake-redis.ts';
import { FakeSocket } from './fake-socket.ts';
import { NearSide } from './near-side.ts';
import type { ServerLink } from './server-link.ts';
import { Turns } from './turns.ts';

/** How much of what a link has to say arrives at once: one answer (of a read with the PTTL in front, of a transaction with its
 *  QUEUED lines), everything, or so many bytes. */
export type Piece = 'answer' | 'all' | number;

/** Answers that come with the one behind them when a schedule goes by whole answers. */
export const PREFIXES: ReadonlySet<string> = new Set(['PTTL', 'MULTI', 'QUEUED', 'SELECT']);

/** One nearcache, its apps, its Redis and its time, in one process. Everything that happens is a call here, written down in
 *  `trace`; between two calls nothing happens. */
export class World {
  readonly clock: ManualClock = new ManualClock();
  readonly redis: FakeRedis;
  readonly near: NearSide;
  readonly clients: FakeClient[] = [];
  readonly trace: string[] = [];
  readonly #turns: Turns;
  #event = 0;

  /** Run `play` in a new world whose link to Redis is up. */
  static run<T>(play: (world: World) => T): T {
    return Turns.within((turns) => {
      const world = new World(turns);
      try {
        world.settleLinks();
        return play(world);
      } finally {
        world.near.close();
      }
    });
  }

  private constructor(turns: Turns) {
    this.#turns = turns;
    this.redis = new FakeRedis(() => this.clock.now());
    network.dial = ({ onread }) => {
      const link = this.redis.accept();
      link.socket = new FakeSocket({
        onWrite: (bytes) => link.received(bytes),
        onClose: () => link.lose(true),
        onRead: onread,
      });
      return link.socket;
    };
    this.near = new NearSide(this.clock);
  }

  /** Everything that was asked, of every client. */
  get operations(): readonly Operation[] {
    return this.clients.flatMap((client) => client.operations);
  }

  client(name: string): FakeClient {
    const client = new FakeClient(name, () => this.#moment());
    this.clients.push(client);
    this.near.accept(client.socket);
    return client;
  }

  // --- what may happen -------------------------------------------------------------------------------------------

  send(client: FakeClient, requests: readonly (readonly string[])[]): void {
    this.note(`${client.name} sends ${requests.map((args) => args.join(' ')).join(' | ')}`);
    client.send(requests);
  }

  /** The link's next request runs. */
  runNext(link: ServerLink): void {
    this.note(`link ${link.id} runs ${link.pending[0]?.join(' ')}`);
    link.run();
  }

  outside(args: readonly string[]): void {
    this.note(`outside: ${args.join(' ')}`);
    this.redis.outside(args);
  }

  open(link: ServerLink): void {
    this.note(`link ${link.id} opens`);
    link.state = 'open';
    link.socket?.emit('connect');
  }

  deliver(link: ServerLink, piece: Piece): void {
    const bytes = take(link, piece);
    this.note(`link ${link.id} delivers ${JSON.stringify(String(bytes))}`);
    link.socket?.arrive(bytes);
  }

  /** Redis does not take the connection. */
  refuse(link: ServerLink): void {
    this.note(`link ${link.id} is refused`);
    link.state = 'lost';
    link.socket?.destroy();
  }

  /** The link is cut; `keepsRunning`: Redis still runs what it had got. */
  cut(link: ServerLink, keepsRunning: boolean): void {
    this.note(`link ${link.id} is cut${keepsRunning ? ', what it brought runs later' : ''}`);
    link.lose(keepsRunning);
  }

  advance(ms: number): void {
    this.note(`${ms} ms pass`);
    this.clock.advance(ms);
    this.redis.expire();
  }

  /** The event loop comes to rest: what was answered leaves, what was asked goes to Redis. */
  settle(): void {
    this.#turns.settle();
  }

  note(text: string): void {
    this.#event++;
    this.trace.push(text);
  }

  // --- to the end ------------------------------------------------------------------------------------------------

  /** Links open, Redis runs and everything arrives, until nothing is under way. */
  settleLinks(): void {
    this.settle();
    for (let round = 0; this.#isBusy(); round++) {
      if (round > 1000) throw new Error('nearcache and Redis never come to rest');
      for (const link of this.redis.links) this.#finish(link);
      this.settle();
    }
  }

  /** As `settleLinks`, and the link is up, and its freshness is new. */
  recover(): void {
    this.settleLinks();
    for (let tries = 0; tries === 0 || !this.near.isReady; tries++) {
      if (tries > 20) throw new Error('the link is never up again');
      this.advance(300);
      this.settleLinks();
    }
  }

  #isBusy(): boolean {
    return this.redis.links.some(
      ({ state, pending, output }) => state === 'connecting' || pending.length > 0 || output.length > 0,
    );
  }

  #finish(link: ServerLink): void {
    if (link.state === 'connecting') this.open(link);
    while (link.pending.length > 0) this.runNext(link);
    if (link.output.length > 0) this.deliver(link, 'all');
  }

  #moment(): Moment {
    return { event: this.#event, step: this.redis.step, atMs: this.clock.now() };
  }
}

function take(link: ServerLink, piece: Piece): Buffer {
  if (piece === 'answer') {
    const count = link.output.findIndex(({ of }) => !PREFIXES.has(of)) + 1;
    return Buffer.concat(link.output.splice(0, count || link.output.length).map(({ bytes }) => bytes));
  }
  const all = Buffer.concat(link.output.splice(0).map(({ bytes }) => bytes));
  if (piece === 'all' || piece >= all.length) return all;
  link.output.push({ of: 'rest', bytes: all.subarray(piece) });
  return all.subarray(0, piece);
}
