import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A direction of a relayed connection: to the server or to the client. */
export type Direction = 'up' | 'down';

/** How a relay treats its bytes.
 *  Units: `delayMs` each way, kept to about a millisecond. `splitBytes`: at most so many bytes in a packet. */
export interface RelayOptions {
  delayMs?: number;
  splitBytes?: number;
}

/** A link between clients and one server that a drill or a test can slow, stop and cut. Bytes stay in order whatever is done to them:
 *  each direction of each connection has one queue with one pump. */
export interface Relay {
  readonly port: number;
  /** May be changed at any time; what is queued already keeps its own due time. */
  delayMs: number;
  /** Connections open now. */
  readonly connections: number;
  /** Nothing is forwarded in this direction (both when left out) until `resume`; the bytes are kept. */
  pause(direction?: Direction): void;
  resume(direction?: Direction): void;
  /** Ends all connections with a reset; new ones are accepted. */
  cut(): void;
  /** Half-open: swallows all bytes of the connections that exist now, which stay open. New ones work. */
  halfOpen(): void;
  /** Ends what is half-open, as the keep-alive of both ends does in the course of time. */
  forget(): void;
  /** Ends everything and frees the port. */
  stop(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and forwards to `serverPort` there. */
export async function startRelay(serverPort: number, options: RelayOptions = {}): Promise<Relay> {
  const relay = new TcpRelay(serverPort, options);
  await relay.listen();
  return relay;
}

class TcpRelay implements Relay {
  delayMs: number;
  readonly #splitBytes: number;
  readonly #serverPort: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #paused: Record<Direction, boolean> = { up: false, down: false };

  constructor(serverPort: number, options: RelayOptions) {
    this.delayMs = options.delayMs ?? 0;
    this.#splitBytes = options.splitBytes ?? Infinity;
    this.#serverPort = serverPort;
    // allowHalfOpen: a client's FIN is a byte like any other, it goes through the queue.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#links.size;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  pause(direction?: Direction): void {
    this.#setPaused(true, direction);
  }

  resume(direction?: Direction): void {
    this.#setPaused(false, direction);
  }

  cut(): void {
    for (const link of this.#links) link.cut();
  }

  halfOpen(): void {
    for (const link of this.#links) link.swallow();
  }

  forget(): void {
    for (const link of this.#links) if (link.isHalfOpen) link.cut();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #setPaused(paused: boolean, direction: Direction | undefined): void {
    for (const each of direction === undefined ? (['up', 'down'] as const) : [direction])
      this.#paused[each] = paused;
    for (const link of this.#links) link.pump();
  }

  #accept(client: Socket): void {
    const server = createConnection({
      host: '127.0.0.1',
      port: this.#serverPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    const pipe = (from: Socket, to: Socket, direction: Direction): Pump =>
      new Pump(
        from,
        to,
        () => this.delayMs,
        this.#splitBytes,
        () => this.#paused[direction],
      );
    const link = new Link(client, server, [pipe(client, server, 'up'), pipe(server, client, 'down')]);
    this.#links.add(link);
    let open = 2;
    for (const socket of [client, server]) {
      socket.on('error', () => link.cut());
      socket.on('close', () => {
        if (--open === 0) this.#links.delete(link);
      });
    }
  }
}

class Link {
  readonly #sockets: readonly Socket[];
  readonly #pumps: readonly Pump[];

  constructor(client: Socket, server: Socket, pumps: readonly Pump[]) {
    this.#sockets = [client, server];
    this.#pumps = pumps;
  }

  get isHalfOpen(): boolean {
    return this.#pumps.some(({ swallowing }) => swallowing);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  swallow(): void {
    for (const pump of this.#pumps) pump.swallowing = true;
  }

  pump(): void {
    for (const pump of this.#pumps) pump.run();
  }
}

/** One direction of one connection. One timer serves the head of the queue: with a timer a chunk, two chunks that are due
 *  in the same millisecond could overtake one another. */
class Pump {
  swallowing = false;
  readonly #to: Socket;
  readonly #splitBytes: number;
  readonly #isPaused: () => boolean;
  /** `undefined` stands for the end of the stream. */
  readonly #queue: { due: number; bytes: Buffer | undefined }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #resting = false;

  constructor(from: Socket, to: Socket, delayMs: () => number, splitBytes: number, isPaused: () => boolean) {
    this.#to = to;
    this.#splitBytes = splitBytes;
    this.#isPaused = isPaused;
    const enqueue = (bytes: Buffer | undefined): void => {
      if (this.swallowing) return;
      this.#queue.push({ due: performance.now() + delayMs(), bytes });
      this.run();
    };
    from.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += splitBytes) enqueue(bytes.subarray(at, at + splitBytes));
    });
    from.on('end', () => enqueue(undefined));
    to.on('close', () => clearTimeout(this.#timer));
  }

  /** Forwards what is due. */
  run(): void {
    clearTimeout(this.#timer);
    while (!this.#isPaused() && !this.#resting) {
      const head = this.#queue[0];
      if (head === undefined) return;
      const wait = head.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.run(), wait);
        return;
      }
      this.#queue.shift();
      this.#forward(head.bytes);
    }
  }

  #forward(bytes: Buffer | undefined): void {
    if (this.swallowing) return;
    if (bytes === undefined) {
      this.#to.end();
      return;
    }
    this.#to.write(bytes);
    if (this.#splitBytes === Infinity) return;
    // Writes of one turn leave in one packet, so each piece gets a turn of its own.
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.run();
    });
  }
}
