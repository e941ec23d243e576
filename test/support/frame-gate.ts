import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { FrameReader } from './frame-reader.ts';
import type { Direction } from '../../src/drill/servers/relay.ts';

/** A place where a gate stands: in front of the first frame that fits, or within it. What is behind that frame waits with it,
 *  other connections and the other direction go on. */
export interface Stop {
  /** Resolves with the frame (latin1) once one waits.
   *  Errors: rejects when none has come within 20 seconds. */
  readonly reached: Promise<string>;
  /** Lets it and what is behind it through; without a waiting frame, takes the stop away. */
  release(): void;
}

/** A link between clients and one server that goes by whole RESP frames, so that a test can decide which of two frames
 *  of one stream has been seen: `relay.ts` slows and cuts bytes, a gate holds a chosen request, reply or push. */
export interface FrameGate {
  readonly port: number;
  /** `fits` is asked about each whole frame, as latin1 text. Stops hold one frame each, in the order they were set; the first
   *  `passedBytes` of it go through. */
  stopAt(direction: Direction, fits: (frame: string) => boolean, passedBytes?: number): Stop;
  /** From now on frames that fit vanish, until what it returns is called. */
  lose(direction: Direction, fits: (frame: string) => boolean): () => void;
  /** Releases every stop, and loses nothing any more. */
  open(): void;
  /** Ends everything and frees the port. */
  stop(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and forwards to `serverPort` there. */
export async function startFrameGate(serverPort: number): Promise<FrameGate> {
  const gate = new TcpFrameGate(serverPort);
  await gate.listen();
  return gate;
}

class TcpFrameGate implements FrameGate {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #rules: Record<Direction, Rules> = {
    up: { stops: [], losses: new Set() },
    down: { stops: [], losses: new Set() },
  };

  constructor(serverPort: number) {
    this.#server = createServer({ noDelay: true }, (client) => {
      const server = createConnection({ host: '127.0.0.1', port: serverPort, noDelay: true });
      forward(client, server, this.#rules.up);
      forward(server, client, this.#rules.down);
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  stopAt(direction: Direction, fits: (frame: string) => boolean, passedBytes = 0): Stop {
    const { stops } = this.#rules[direction];
    const stop = new FrameStop(fits, passedBytes, () => stops.splice(stops.indexOf(stop), 1));
    stops.push(stop);
    return stop;
  }

  lose(direction: Direction, fits: (frame: string) => boolean): () => void {
    const { losses } = this.#rules[direction];
    losses.add(fits);
    return () => losses.delete(fits);
  }

  open(): void {
    for (const { stops, losses } of Object.values(this.#rules)) {
      losses.clear();
      // Each takes itself off the list.
      while (stops.length > 0) stops[0]?.release();
    }
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** What happens to frames of one direction. */
interface Rules {
  readonly stops: FrameStop[];
  readonly losses: Set<(frame: string) => boolean>;
}

class FrameStop implements Stop {
  readonly reached: Promise<string>;
  readonly fits: (frame: string) => boolean;
  readonly passedBytes: number;
  readonly #remove: () => void;
  #arrive: (frame: string) => void = () => {};
  #goOn: (() => void) | undefined;

  constructor(fits: (frame: string) => boolean, passedBytes: number, remove: () => void) {
    this.fits = fits;
    this.passedBytes = passedBytes;
    this.#remove = remove;
    this.reached = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no frame came to the stop within 20 s')), 20_000);
      this.#arrive = (frame) => {
        clearTimeout(timer);
        resolve(frame);
      };
    });
    // A test that fails before it waits for the stop should fail for its own reason.
    this.reached.catch(() => {});
  }

  get isTaken(): boolean {
    return this.#goOn !== undefined;
  }

  hold(frame: string, goOn: () => void): void {
    this.#goOn = goOn;
    this.#arrive(frame);
  }

  release(): void {
    this.#remove();
    this.#arrive('');
    this.#goOn?.();
  }
}

/** One direction of one connection. */
function forward(from: Socket, to: Socket, { stops, losses }: Rules): void {
  const reader = new FrameReader();
  let isHeld = false;
  const run = (): void => {
    while (!isHeld) {
      const frame = reader.take();
      if (frame === undefined) return;
      const text = frame.toString('latin1');
      if ([...losses].some((fits) => fits(text))) continue;
      const stop = stops.find((each) => !each.isTaken && each.fits(text));
      if (stop === undefined) {
        to.write(frame);
        continue;
      }
      isHeld = true;
      to.write(frame.subarray(0, stop.passedBytes));
      stop.hold(text, () => {
        isHeld = false;
        to.write(frame.subarray(stop.passedBytes));
        run();
      });
    }
  };
  from.on('data', (bytes: Buffer) => {
    reader.push(bytes);
    run();
  });
}
