import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

import { childFrames, FrameReader } from '../../support/frame-reader.ts';
import { type Argument, encodeRequest } from '../../support/raw-client.ts';

/** A reply as a value. Shape: integers and simple strings as text, maps and sets as flat lists. */
export type Reply = string | null | Reply[] | Failure;

/** An error reply, or no reply at all. */
export class Failure {
  readonly message: string;
  /** The connection ended before the reply. */
  readonly isLost: boolean;

  constructor(message: string, isLost: boolean) {
    this.message = message;
    this.isLost = isLost;
  }
}

/** What became of one request. Units: ms of the monotonic clock; `end` is Infinity without a reply. */
export interface Outcome {
  readonly reply: Reply;
  readonly start: number;
  readonly end: number;
  readonly connection: number;
  readonly order: number;
}

/** Who a connection is. */
export interface Login {
  readonly proto: 2 | 3;
  readonly db: number;
  readonly user?: string | undefined;
}

interface Pending {
  readonly request: readonly Argument[];
  readonly start: number;
  readonly order: number;
  readonly resolve: (outcome: Outcome) => void;
}

/** What sends requests and notes when each was sent and answered. */
export interface Caller {
  readonly number: number;
  readonly isClosed: boolean;
  /** Sends these requests together. Shape: one outcome for each; none rejects. */
  send(requests: readonly (readonly Argument[])[]): Promise<Outcome>[];
  call(...args: readonly Argument[]): Promise<Outcome>;
  close(): void;
}

const PUSH = '>'.charCodeAt(0);
let connections = 0;

/** A number that no other connection has. */
export function nextConnection(): number {
  return ++connections;
}

/** One connection, pipelined, that notes when each request was sent and answered. */
export class Client implements Caller {
  readonly number: number = nextConnection();
  isClosed = false;
  readonly #socket: Socket;
  readonly #pending: Pending[] = [];
  readonly #reader = new FrameReader();
  #order = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#received(bytes));
    socket.on('error', () => {});
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#ended());
  }

  /** Errors: rejects when nothing listens there or the login is refused. */
  static async connect(port: number, login: Login): Promise<Client> {
    const socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect', { signal: AbortSignal.timeout(2000) });
    const client = new Client(socket);
    const auth = login.user === undefined ? [] : ['AUTH', login.user, 'password'];
    const greetings: string[][] = [];
    if (login.proto === 3) greetings.push(['HELLO', '3', ...auth]);
    else if (login.user !== undefined) greetings.push(auth);
    greetings.push(['SELECT', String(login.db)]);
    for (const { reply } of await Promise.all(client.send(greetings))) {
      if (!(reply instanceof Failure)) continue;
      client.close();
      throw new Error(reply.message);
    }
    return client;
  }

  /** The oldest request that has no reply, for people; undefined when there is none. */
  get waitsFor(): string | undefined {
    const [oldest] = this.#pending;
    return oldest && `${oldest.request.join(' ')} and ${this.#pending.length - 1} more on ${this.number}`;
  }

  /** Sends these requests in one write. Shape: one outcome for each; none rejects. */
  send(requests: readonly (readonly Argument[])[]): Promise<Outcome>[] {
    const bytes = Buffer.concat(requests.map(encodeRequest));
    const start = performance.now();
    const outcomes = requests.map(
      (request) =>
        new Promise<Outcome>((resolve) => {
          this.#pending.push({ request, start, order: this.#order++, resolve });
        }),
    );
    if (this.isClosed) this.#ended();
    else this.#socket.write(bytes);
    return outcomes;
  }

  async call(...args: readonly Argument[]): Promise<Outcome> {
    return this.send([args])[0] as Promise<Outcome>;
  }

  close(): void {
    this.#socket.destroy();
    this.#ended();
  }

  #received(bytes: Buffer): void {
    this.#reader.push(bytes);
    for (let frame = this.#reader.take(); frame !== undefined; frame = this.#reader.take()) {
      if (frame[0] === PUSH) continue;
      const { resolve, start, order } = this.#pending.shift() as Pending;
      resolve({ start, order, reply: decode(frame), end: performance.now(), connection: this.number });
    }
  }

  #ended(): void {
    this.isClosed = true;
    const reply = new Failure('the connection was lost', true);
    for (const { resolve, start, order } of this.#pending.splice(0))
      resolve({ start, order, reply, end: Infinity, connection: this.number });
  }
}

/** A frame as a value. */
function decode(frame: Buffer): Reply {
  const text = frame.toString('latin1');
  switch (text[0]) {
    case '-':
      return new Failure(text.slice(1, -2), false);
    case '_':
      return null;
    case '$':
      return text.startsWith('$-') ? null : text.slice(text.indexOf('\n') + 1, -2);
    case '*':
      return text.startsWith('*-') ? null : childFrames(frame).map(decode);
    case '%':
    case '~':
      return childFrames(frame).map(decode);
    default:
      return text.slice(1, -2);
  }
}
