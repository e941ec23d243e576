import { childFrames } from '../support/frame-reader.ts';
import { connectRaw, encodeRequest, textOf } from '../support/raw-client.ts';
import { argumentsOf, fixture, label } from './script.ts';
import type { Argument, RawClient } from '../support/raw-client.ts';
import type { Line, Protocol, Step } from './script.ts';

/** A port that is to behave like Redis, and all the Redis behind it (the same port for Redis itself). */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly redisPorts: readonly number[];
}

/** One answer, the thing that is compared. Inside an EXEC each element is an answer of its own, so that it is judged by its
 *  own command. */
export interface Exchange {
  readonly label: string;
  /** Empty where no command belongs to the frame (pushes, broken requests). */
  readonly args: readonly Argument[];
  readonly frame: Buffer;
}

export interface RunOptions {
  protocol: Protocol;
  bare?: boolean;
  /** Other keys of every type than the usual ones. */
  fixture?: readonly Line[];
  noPing?: boolean;
  /** What the harness needs to prepare the keyspace; the clients of the case are not authenticated with it. */
  password?: string | undefined;
  /** Names that `{name}` in a line stands for. */
  names?: Readonly<Record<string, string>>;
}

/** How long one reply may take before the case counts as unanswered. */
const replyTimeoutMs = 20_000;

/** How long a connection that should end may stay open. */
const endTimeoutMs = 10_000;

/** Empties the keyspace, fills it again unless `bare`, takes the steps and returns what came back. When a reply does not come
 *  or a connection ends unasked, that is the last exchange, with the label `stopped`. */
export async function run(target: Target, steps: readonly Step[], options: RunOptions): Promise<Exchange[]> {
  const running = new Running(target, options);
  try {
    await running.begin();
    for (const step of steps) await running.take(step);
    if (!options.noPing) await running.pingAll();
  } catch (error) {
    running.exchanges.push({ label: 'stopped', args: [], frame: Buffer.from((error as Error).message) });
  } finally {
    running.end();
  }
  return running.exchanges;
}

/** What a case may leave behind, in the settings too when it stopped halfway: the next ones are not to suffer for it. */
const forgetting: readonly string[] = [
  'CLIENT UNPAUSE',
  'SCRIPT FLUSH',
  'FUNCTION FLUSH',
  'ACL LOG RESET',
  'SLOWLOG RESET',
  'CONFIG SET busy-reply-threshold 5000 maxmemory-policy noeviction notify-keyspace-events "" ' +
    'latency-monitor-threshold 0 slowlog-max-len 128',
];

/** The node of a Cluster that does not have the key. */
const elsewhere = /^-MOVED /;

/** No subscribers but nearcache's own and Sentinels, and nobody blocked. */
const settled =
  /^\*\d+\r\n(\$\d+\r\n(nearcache:.*|__sentinel__:hello)\r\n)*:0\r\n\*0\r\n[^]*blocked_clients:0\r/;

/** What a run remembers of one connection. */
interface Client {
  readonly connection: RawClient;
  /** Commands sent whose replies have not been read. */
  readonly pending: (readonly Argument[])[];
  /** The commands queued by MULTI; undefined outside. */
  queued: (readonly Argument[])[] | undefined;
  last: Buffer;
  ended: boolean;
}

class Running {
  readonly exchanges: Exchange[] = [];
  readonly #target: Target;
  readonly #options: RunOptions;
  readonly #clients = new Map<string, Client>();
  readonly #names: Map<string, string>;
  #redis: readonly RawClient[] = [];

  constructor(target: Target, options: RunOptions) {
    this.#target = target;
    this.#options = options;
    this.#names = new Map(Object.entries(options.names ?? {}));
  }

  /** Redis is emptied behind the proxy's back and through it: the first makes sure that it is empty, the second that
   *  the proxy knows. */
  async begin(): Promise<void> {
    const { password, bare } = this.#options;
    const auth = password === undefined ? [] : [`AUTH ${password}`];
    this.#redis = await Promise.all(this.#target.redisPorts.map((port) => connectRaw({ port })));
    await Promise.all(
      this.#redis.map(async (redis) => {
        await sendAll(redis, auth);
        await this.#settle(redis);
        await sendAll(redis, [...forgetting, 'FLUSHALL']);
      }),
    );
    const through = await connectRaw({ port: this.#target.port });
    try {
      await sendAll(through, auth);
      await sendAll(through, ['FLUSHALL', ...(bare ? [] : (this.#options.fixture ?? fixture))]);
    } finally {
      through.close();
    }
  }

  async take(step: Step): Promise<void> {
    if (typeof step === 'string' || !('on' in step || 'until' in step)) {
      await this.#send('a', [step], 1);
    } else if ('until' in step) {
      await this.#until(step.until, step.shows);
    } else if ('send' in step) {
      await this.#send(step.on, [step.send], step.frames);
    } else if ('pipeline' in step) {
      await this.#send(step.on, step.pipeline, step.pipeline.length);
    } else {
      await this.#takeOther(step);
    }
  }

  /** A frame too many or too few anywhere before shows up as a wrong answer to this. */
  async pingAll(): Promise<void> {
    for (const [who, client] of this.#clients) {
      if (client.ended) continue;
      await this.#send(who, ['PING'], 1);
      const rest = client.connection.rest();
      if (rest.length > 0) this.#record(`${who}: bytes that nobody asked for`, [], rest);
    }
  }

  end(): void {
    for (const { connection } of this.#clients.values()) connection.close();
    for (const redis of this.#redis) redis.close();
  }

  /** Waits until Redis has noticed that the clients of the run before are gone; some seconds at most, so that a proxy
   *  that never lets go of one fails the cases it harms rather than all. */
  async #settle(redis: RawClient): Promise<void> {
    const deadline = performance.now() + 5_000;
    for (;;) {
      redis.send('PUBSUB CHANNELS\r\nPUBSUB NUMPAT\r\nPUBSUB SHARDCHANNELS\r\nINFO clients\r\n');
      const answers = Buffer.concat(await redis.readFrames(4, replyTimeoutMs)).toString('latin1');
      if (settled.test(answers) || performance.now() > deadline) return;
    }
  }

  async #takeOther(
    step: Exclude<Step, Line | { until: Line } | { send: Line } | { pipeline: readonly Line[] }>,
  ): Promise<void> {
    const client = await this.#client(step.on);
    if ('raw' in step) {
      client.connection.send(step.raw);
      await this.#read(step.on, client, step.frames, 'raw bytes');
    } else if ('read' in step) {
      await this.#read(step.on, client, step.read, 'a frame');
    } else if ('readAny' in step) {
      const frames = await client.connection.readFrames(step.readAny, replyTimeoutMs);
      for (const frame of frames.toSorted((a, b) => a.compare(b))) {
        this.#record(`${step.on}: a frame in any order`, [], frame);
      }
    } else if ('save' in step) {
      const found = step.pattern.exec(client.last.toString('latin1'))?.[1];
      if (found === undefined) throw new Error(`no ${step.save} in ${shown(client.last)}`);
      this.#names.set(step.save, found);
    } else if ('ended' in step) {
      await this.#ended(step.on, client);
    } else {
      client.connection.close();
      this.#clients.delete(step.on);
    }
  }

  async #ended(who: string, client: Client): Promise<void> {
    let still = false;
    const timer = setTimeout(() => {
      still = true;
      client.connection.close();
    }, endTimeoutMs);
    await client.connection.closed;
    clearTimeout(timer);
    client.ended = true;
    this.#record(`${who}: at the end`, [], client.connection.rest());
    this.#record(`${who}: the connection`, [], Buffer.from(still ? 'is still open' : 'has ended'));
  }

  async #send(who: string, lines: readonly Line[], frames: number): Promise<void> {
    const client = await this.#client(who);
    const all = lines.map((line) => argumentsOf(line).map((argument) => this.#named(argument)));
    client.pending.push(...all);
    client.connection.send(Buffer.concat(all.map(encodeRequest)));
    await this.#read(who, client, frames, label(lines[0] as Line));
  }

  async #read(who: string, client: Client, count: number, what: string): Promise<void> {
    for (let i = 0; i < count; i++) {
      const args = client.pending.shift() ?? [];
      const frame = await client.connection.readFrame(replyTimeoutMs).catch((error: Error) => {
        throw new Error(`${who}: ${args.length > 0 ? label(args) : what}: ${error.message}`);
      });
      client.last = frame;
      this.#recordReply(who, client, args, frame);
    }
  }

  #recordReply(who: string, client: Client, args: readonly Argument[], frame: Buffer): void {
    const name = args[0] === undefined ? '' : textOf(args[0]).toUpperCase();
    const text = `${who}: ${args.length > 0 ? label(args) : 'a frame'}`;
    const { queued } = client;
    if (name === 'MULTI' && frame.toString() === '+OK\r\n') client.queued = [];
    else if (queued !== undefined && frame.toString() === '+QUEUED\r\n') queued.push(args);
    else if (['EXEC', 'DISCARD', 'RESET'].includes(name)) client.queued = undefined;
    const children = name === 'EXEC' ? childFrames(frame) : [];
    if (queued === undefined || children.length !== queued.length) {
      this.#record(text, args, frame);
      return;
    }
    this.#record(text, args, frame.subarray(0, frame.indexOf('\n') + 1));
    for (const [i, child] of children.entries()) {
      const of = queued[i] as readonly Argument[];
      this.#record(`${text}[${i}] ${label(of)}`, of, child);
    }
  }

  #record(text: string, args: readonly Argument[], frame: Buffer): void {
    this.exchanges.push({ label: text, args, frame });
  }

  async #until(line: Line, shows: string): Promise<void> {
    const deadline = performance.now() + replyTimeoutMs;
    for (;;) {
      const answers = await Promise.all(this.#redis.map((redis) => redis.call(...argumentsOf(line))));
      const showing = answers.filter((answer) => answer.includes(shows) || elsewhere.test(answer.toString()));
      // That there is something shows on one shard, that there is nothing must show on all.
      const needed = shows.startsWith(':0') || shows.endsWith(':0\r') ? answers.length : 1;
      if (showing.length >= needed) return;
      if (performance.now() > deadline) {
        throw new Error(
          `${label(line)} at Redis does not show ${shows.trim()}: ${answers.map(shown).join()}`,
        );
      }
    }
  }

  async #client(who: string): Promise<Client> {
    const known = this.#clients.get(who);
    if (known !== undefined) return known;
    const connection = await connectRaw({ port: this.#target.port });
    const client = { connection, pending: [], queued: undefined, last: Buffer.alloc(0), ended: false };
    this.#clients.set(who, client);
    if (this.#options.protocol === 3) await connection.call('HELLO', '3');
    return client;
  }

  #named(argument: Argument): Argument {
    if (typeof argument !== 'string' || !argument.includes('{')) return argument;
    return argument.replace(/\{(\w+)\}/g, (whole, name: string) => this.#names.get(name) ?? whole);
  }
}

async function sendAll(connection: RawClient, lines: readonly Line[]): Promise<void> {
  connection.send(Buffer.concat(lines.map((line) => encodeRequest(argumentsOf(line)))));
  for (const frame of await connection.readFrames(lines.length, replyTimeoutMs)) {
    if (frame.toString('latin1', 0, 1) === '-')
      throw new Error(`preparing a case: ${frame.toString('latin1')}`);
  }
}

/** Bytes for a message, cut short. */
export function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1', 0, 300));
  return bytes.length > 300 ? `${text}… (${bytes.length} bytes)` : text;
}
