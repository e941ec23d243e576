import { childFrames, FrameReader } from '../../support/frame-reader.ts';
import { encodeRequest } from '../../support/raw-client.ts';
import { FakeSocket } from './fake-socket.ts';
import { Line, type Reply } from './keyspace.ts';

/** Where a schedule is: events are its steps, states those of the fake Redis. */
export interface Moment {
  readonly event: number;
  readonly step: number;
  readonly atMs: number;
}

/** One request of a client, and what it was told. */
export interface Operation {
  readonly client: string;
  readonly args: readonly string[];
  /** For EXEC: what was queued. */
  readonly queued: readonly (readonly string[])[];
  readonly db: number;
  readonly sent: Moment;
  done: Moment | undefined;
  reply: Reply | undefined;
}

/** An app with one connection: writes down each request and its reply. Shape: RESP2 unless it says HELLO 3. */
export class FakeClient {
  readonly name: string;
  readonly socket: FakeSocket;
  readonly operations: Operation[] = [];
  readonly #moment: () => Moment;
  readonly #reader = new FrameReader();
  #answered = 0;
  #db = 0;
  #queued: (readonly string[])[] | undefined;

  constructor(name: string, moment: () => Moment) {
    this.name = name;
    this.#moment = moment;
    this.socket = new FakeSocket({ onWrite: (bytes) => this.#hear(bytes), onClose: () => undefined });
  }

  /** Nothing of what was asked is unanswered, or nothing more can come. */
  get isDone(): boolean {
    return this.#answered === this.operations.length || this.socket.destroyed;
  }

  /** Send these in one packet. */
  send(requests: readonly (readonly string[])[]): void {
    for (const args of requests) this.#note(args);
    this.socket.arrive(Buffer.concat(requests.map((args) => encodeRequest(args))));
  }

  #note(args: readonly string[]): void {
    const name = args[0]?.toUpperCase();
    const queued = this.#queued ?? [];
    if (name === 'MULTI') this.#queued = [];
    else if (name === 'EXEC') this.#queued = undefined;
    else this.#queued?.push(args);
    if (name === 'SELECT') this.#db = Number(args[1]);
    this.operations.push({
      client: this.name,
      args,
      queued: name === 'EXEC' ? queued : [],
      db: this.#db,
      sent: this.#moment(),
      done: undefined,
      reply: undefined,
    });
  }

  #hear(bytes: Buffer): void {
    this.#reader.push(bytes);
    for (let frame = this.#reader.take(); frame !== undefined; frame = this.#reader.take()) {
      const operation = this.operations[this.#answered++];
      if (operation === undefined) throw new Error(`${this.name} got a reply too many: ${String(frame)}`);
      operation.done = this.#moment();
      operation.reply = decode(frame);
    }
  }
}

function decode(frame: Buffer): Reply {
  const text = frame.toString('latin1');
  if (text === '$-1\r\n' || text === '*-1\r\n' || text === '_\r\n') return null;
  switch (text[0]) {
    case '$':
      return text.slice(text.indexOf('\n') + 1, -2);
    case ':':
      return Number(text.slice(1, -2));
    case '*':
      return childFrames(frame).map(decode);
    default:
      return new Line(text.slice(0, -2));
  }
}
