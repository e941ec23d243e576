import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

import { Translator } from './translator.ts';
import { UpstreamReads } from './upstream-reads.ts';

/** How the links of a relay treat their bytes. Units: `delayMs` is drawn for each link and direction, least and most;
 *  `bytesPerMs`, Infinity = as fast as possible. Shape: `tearing` is the chance that what came in one piece arrives in two, a
 *  little apart, so that a reply is seen before the invalidation behind it. */
export interface LinkWeather {
  readonly delayMs: readonly [least: number, most: number];
  readonly bytesPerMs: number;
  readonly tearing: number;
}

const TEAR_MS_MAX = 4;
/** How an invalidation begins. */
const PUSH_HEAD = Buffer.from('>2\r\n');

/** What a relay does beside forwarding. Shape: `reads` hears what goes through it; `words` says by what the server's words are replaced
 *  (see Translator), and may be filled later. */
export interface RelayOptions {
  readonly reads?: UpstreamReads;
  readonly words?: ReadonlyMap<string, string>;
}

/** The network between nearcache and Redis. Bytes of one direction stay in order: each has one queue and one pump.
 *  It also listens: `reads` knows which keys nearcache is asking Redis about. */
export class LinkRelay {
  readonly reads: UpstreamReads;
  readonly #words: ReadonlyMap<string, string>;
  readonly #links = new Set<Link>();
  readonly #server: Server;
  readonly #random: () => number;
  readonly #serverPort: number;
  #weather: LinkWeather = { delayMs: [0, 0], bytesPerMs: Infinity, tearing: 0 };
  /** New connections are refused. */
  isClosed = false;

  private constructor(serverPort: number, random: () => number, options: RelayOptions) {
    this.reads = options.reads ?? new UpstreamReads();
    this.#words = options.words ?? new Map();
    this.#serverPort = serverPort;
    this.#random = random;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  /** Listens on a free port of 127.0.0.1 and forwards to `serverPort` there. */
  static async start(
    serverPort: number,
    random: () => number,
    options: RelayOptions = {},
  ): Promise<LinkRelay> {
    const relay = new LinkRelay(serverPort, random, options);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get links(): readonly Link[] {
    return [...this.#links];
  }

  /** New weather for all links, those there are and those to come. */
  set weather(weather: LinkWeather) {
    this.#weather = weather;
    this.drawAgain();
  }

  /** Each link has other luck with the same weather. */
  drawAgain(): void {
    for (const link of this.#links) this.#expose(link);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const link of this.#links) link.cut();
    await closed;
  }

  #expose(link: Link): void {
    const [least, most] = this.#weather.delayMs;
    for (const pump of [link.up, link.down]) {
      pump.delayMs = least + (most - least) * this.#random();
      pump.bytesPerMs = this.#weather.bytesPerMs;
      pump.tearing = this.#weather.tearing;
    }
  }

  #accept(client: Socket): void {
    if (this.isClosed) {
      client.resetAndDestroy();
      return;
    }
    const host = '127.0.0.1';
    const server = createConnection({ host, port: this.#serverPort, allowHalfOpen: true, noDelay: true });
    const ears = { reads: this.reads, words: this.#words };
    const link = new Link(client, server, ears, this.#random);
    this.#links.add(link);
    this.#expose(link);
    client.once('close', () => this.#links.delete(link));
  }
}

/** One connection through the relay. */
export class Link {
  readonly up: Pump;
  readonly down: Pump;
  readonly #client: Socket;
  readonly #server: Socket;
  #isHalfOpen = false;
  /** How much has come from Redis. */
  receivedBytes = 0;

  constructor(client: Socket, server: Socket, ears: Required<RelayOptions>, random: () => number) {
    this.#client = client;
    this.#server = server;
    const asked = ears.reads.connection();
    const translator = ears.words.size === 0 ? undefined : new Translator(ears.words);
    this.up = new Pump(server, random);
    this.down = new Pump(client, random, (bytes) => asked.delivered(bytes));
    client.on('data', (bytes: Buffer) => {
      asked.sent(bytes);
      this.up.push(bytes);
    });
    client.on('end', () => {
      this.up.push(undefined);
      // Nobody will end the other direction of a link that swallows.
      if (this.up.isSwallowing || this.down.isSwallowing) client.destroy();
    });
    server.on('data', (bytes: Buffer) => {
      this.receivedBytes += bytes.length;
      const said = translator === undefined ? bytes : translator.take(bytes);
      if (said.length > 0) this.down.push(said);
    });
    server.on('end', () => this.down.push(undefined));
    client.on('error', () => this.cut());
    server.on('error', () => {
      if (!this.#isHalfOpen) this.cut();
    });
    client.on('close', () => {
      asked.closed();
      server.destroy();
    });
  }

  /** The name that Redis knows this connection by, as in CLIENT KILL ADDR. */
  get address(): string {
    return `127.0.0.1:${this.#server.localPort}`;
  }

  /** Both sides see a reset. */
  cut(): void {
    reset(this.#client);
    reset(this.#server);
  }

  /** Redis's side is closed, and nearcache never hears of it: its own side stays open and silent. */
  halfOpen(): void {
    this.#isHalfOpen = true;
    this.up.isSwallowing = true;
    this.down.isSwallowing = true;
    reset(this.#server);
  }
}

/** Ends a socket with a reset, if it was ever connected. */
function reset(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

/** One direction of one connection. One timer serves the head of the queue: with a timer a chunk, two chunks due in the same
 *  millisecond could overtake one another. */
class Pump {
  delayMs = 0;
  bytesPerMs: number = Infinity;
  tearing = 0;
  /** Everything disappears, the end of the stream included. */
  isSwallowing = false;
  readonly #to: Socket;
  readonly #random: () => number;
  readonly #forwarded: (bytes: Buffer) => void;
  /** No bytes = the end of the stream. */
  readonly #queue: { readonly due: number; readonly bytes: Buffer | undefined }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #busyUntil = 0;

  constructor(to: Socket, random: () => number, forwarded: (bytes: Buffer) => void = () => {}) {
    this.#to = to;
    this.#random = random;
    this.#forwarded = forwarded;
    to.on('close', () => clearTimeout(this.#timer));
  }

  push(bytes: Buffer | undefined): void {
    if (this.isSwallowing) return;
    if (bytes === undefined) this.#enqueue(undefined);
    else if (this.bytesPerMs !== Infinity) this.#enqueueSlowly(bytes);
    else if (bytes.length > 1 && this.#random() < this.tearing) this.#enqueueTorn(bytes);
    else this.#enqueue(bytes);
    this.#run();
  }

  /** A throttled link takes its time for each piece, so large ones go in pieces. */
  #enqueueSlowly(bytes: Buffer): void {
    const size = Math.max(1, Math.floor(this.bytesPerMs * 10));
    for (let at = 0; at < bytes.length; at += size) this.#enqueue(bytes.subarray(at, at + size));
  }

  /** In two pieces: before an invalidation, if there is one, or anywhere. */
  #enqueueTorn(bytes: Buffer): void {
    const anywhere = 1 + Math.floor(this.#random() * (bytes.length - 1));
    const nextPush = bytes.indexOf(PUSH_HEAD);
    const at = nextPush > 0 ? nextPush : anywhere;
    this.#enqueue(bytes.subarray(0, at));
    const secondDue = performance.now() + this.delayMs + this.#random() * TEAR_MS_MAX;
    this.#busyUntil = Math.max(this.#busyUntil, secondDue);
    this.#enqueue(bytes.subarray(at));
  }

  #enqueue(bytes: Buffer | undefined): void {
    const now = performance.now();
    this.#busyUntil = Math.max(now, this.#busyUntil) + (bytes?.length ?? 0) / this.bytesPerMs;
    this.#queue.push({ due: Math.max(now + this.delayMs, this.#busyUntil), bytes });
  }

  #run(): void {
    clearTimeout(this.#timer);
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      const wait = head.due - performance.now();
      if (wait > 0.3) {
        this.#timer = setTimeout(() => this.#run(), wait);
        return;
      }
      this.#queue.shift();
      this.#forward(head.bytes);
    }
  }

  #forward(bytes: Buffer | undefined): void {
    if (this.isSwallowing || this.#to.destroyed) return;
    if (bytes === undefined) {
      this.#to.end();
      return;
    }
    this.#forwarded(bytes);
    this.#to.write(bytes);
  }
}
