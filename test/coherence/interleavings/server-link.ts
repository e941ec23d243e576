import { helloReply } from '../../support/hello-reply.ts';
import { childFrames, FrameReader } from '../../support/frame-reader.ts';
import type { FakeRedis } from './fake-redis.ts';
import type { FakeSocket } from './fake-socket.ts';
import { Line, nameOf, OK, type Reply } from './keyspace.ts';

/** Redis's side of one connection: requests that came and were not run, and replies that were not delivered. */
export class ServerLink {
  readonly id: number;
  isTracking = false;
  /** connecting = dialled; open; lost = the other side is gone (what it had sent may still run). */
  state: 'connecting' | 'open' | 'lost' = 'connecting';
  socket: FakeSocket | undefined;
  /** Requests that came. */
  readonly pending: string[][] = [];
  /** Frames that are on their way back, each with the name of the command it answers, or 'push'. */
  readonly output: { of: string; bytes: Buffer }[] = [];
  readonly #redis: FakeRedis;
  readonly #reader = new FrameReader();
  #proto: 2 | 3 = 2;
  #db = 0;
  #queue: string[][] | undefined;
  #watched = new Set<string>();
  #isDirty = false;

  constructor(redis: FakeRedis, id: number) {
    this.#redis = redis;
    this.id = id;
  }

  received(bytes: Buffer): void {
    this.#reader.push(bytes);
    for (let frame = this.#reader.take(); frame !== undefined; frame = this.#reader.take()) {
      this.pending.push(childFrames(frame).map(payload));
    }
  }

  /** The connection is gone; `keepsRunning`: what had come already runs later. */
  lose(keepsRunning: boolean): void {
    if (this.state === 'lost') return;
    this.state = 'lost';
    this.output.length = 0;
    if (!keepsRunning) this.pending.length = 0;
    this.socket?.hangUp();
  }

  /** Run the next request. */
  run(): void {
    const args = this.pending.shift();
    if (args === undefined) return;
    this.#redis.commands++;
    const { reply, pushes } = this.#answer(args);
    if (this.state !== 'open') return;
    const isQueued = reply instanceof Line && reply.text === '+QUEUED';
    const of = isQueued ? 'QUEUED' : (args[0] as string).toUpperCase();
    this.output.push({ of, bytes: encode(reply, this.#proto) });
    for (const push of pushes) this.push(push);
  }

  push(bytes: Buffer): void {
    if (this.#proto === 3 && this.state === 'open') this.output.push({ of: 'push', bytes });
  }

  /** A key has changed (undefined: all): a transaction that watches it fails. */
  dirty(name: string | undefined): void {
    if (name === undefined ? this.#watched.size > 0 : this.#watched.has(name)) this.#isDirty = true;
  }

  #answer(args: string[]): { reply: Reply; pushes: readonly Buffer[] } {
    const own = this.#connectionCommand(args);
    if (own !== undefined) return { reply: own, pushes: [] };
    if (args[0]?.toUpperCase() === 'EXEC') return this.#exec();
    if (this.#queue !== undefined) {
      this.#queue.push(args);
      return { reply: new Line('+QUEUED'), pushes: [] };
    }
    const { replies, pushes } = this.#redis.runAll([args], this.#db, this);
    return { reply: replies[0] as Reply, pushes };
  }

  #exec(): { reply: Reply; pushes: readonly Buffer[] } {
    const commands = this.#queue;
    if (commands === undefined) return { reply: new Line('-ERR EXEC without MULTI'), pushes: [] };
    const isDirty = this.#isDirty;
    this.#queue = undefined;
    this.#unwatch();
    if (isDirty) return { reply: this.#proto === 3 ? null : new Line('*-1'), pushes: [] };
    const { replies, pushes } = this.#redis.runAll(commands, this.#db, this);
    return { reply: replies, pushes };
  }

  #unwatch(): void {
    this.#watched.clear();
    this.#isDirty = false;
  }

  /** Commands about the connection itself. */
  #connectionCommand(args: string[]): Reply | undefined {
    switch (args[0]?.toUpperCase()) {
      case 'HELLO':
        if (args[1] !== undefined) this.#proto = Number(args[1]) as 2 | 3;
        return new Line(hello(this.id, this.#proto));
      case 'COMMAND':
        return [null];
      case 'CLIENT':
        if (args[1]?.toUpperCase() === 'TRACKING') this.isTracking = args[2]?.toUpperCase() === 'ON';
        return OK;
      case 'SELECT':
        this.#db = Number(args[1]);
        return OK;
      case 'PING':
        return new Line('+PONG');
      case 'RESET':
        this.isTracking = false;
        this.#proto = 2;
        this.#db = 0;
        this.#queue = undefined;
        this.#unwatch();
        return new Line('+RESET');
      case 'MULTI':
        this.#queue = [];
        return OK;
      case 'WATCH':
        for (const key of args.slice(1)) this.#watched.add(nameOf(this.#db, key));
        return OK;
      case 'UNWATCH':
        this.#unwatch();
        return OK;
      case 'DISCARD':
        this.#queue = undefined;
        this.#unwatch();
        return OK;
      default:
        return undefined;
    }
  }
}

/** Without its last CRLF, as a Line. */
function hello(id: number, proto: 2 | 3): string {
  const text = helloReply({ id }).slice(0, -2);
  return proto === 3 ? text : text.replace(/^%7/, '*14').replace(':3\r\n', ':2\r\n');
}

function payload(frame: Buffer): string {
  const text = frame.toString('latin1');
  return text.slice(text.indexOf('\n') + 1, -2);
}

function encode(reply: Reply, proto: 2 | 3): Buffer {
  return Buffer.from(encodeText(reply, proto), 'latin1');
}

function encodeText(reply: Reply, proto: 2 | 3): string {
  if (reply === null) return proto === 3 ? '_\r\n' : '$-1\r\n';
  if (reply instanceof Line) return `${reply.text}\r\n`;
  if (typeof reply === 'number') return `:${reply}\r\n`;
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`;
  return `*${reply.length}\r\n${reply.map((each) => encodeText(each, proto)).join('')}`;
}
