import { setTimeout as delay } from 'node:timers/promises';

import { type Argument, textOf } from '../../support/raw-client.ts';
import { type Caller, type Client, Failure, nextConnection, type Outcome } from './client.ts';
import type { Directory } from './directory.ts';

type Request = readonly Argument[];

/** A redirect, and what has to come first there. */
interface Redirect {
  readonly port: number;
  readonly isAsk: boolean;
}

const ATTEMPTS_MAX = 12;
const TRY_AGAIN_MS = 5;
const KEYLESS = new Set(['MULTI', 'EXEC', 'DISCARD', 'UNWATCH', 'PING']);

/** Another program's connection past nearcache, to whichever server has the key: it follows redirects, but for WATCH and
 *  transactions, which stay where they began. */
export class OutsideClient implements Caller {
  readonly number: number = nextConnection();
  isClosed = false;
  readonly #directory: Directory;
  readonly #connect: (port: number) => Promise<Client>;
  readonly #clients = new Map<number, Promise<Client>>();
  /** The server that watches for us, or has a transaction of ours. */
  #held: number | undefined;
  #order = 0;

  /** `connect` makes a connection to one server. */
  constructor(directory: Directory, connect: (port: number) => Promise<Client>) {
    this.#directory = directory;
    this.#connect = connect;
  }

  /** Shape: one outcome for each; none rejects. */
  send(requests: readonly Request[]): Promise<Outcome>[] {
    if (this.isClosed) return requests.map(async () => this.#own(lost(), this.#order++));
    const names = requests.map(([name]) => textOf(name as Argument).toUpperCase());
    const isApart = this.#held !== undefined || names.some((name) => name === 'WATCH' || name === 'MULTI');
    if (isApart) return this.#together(requests, names);
    return requests.map((request) => this.#alone(request));
  }

  async call(...args: readonly Argument[]): Promise<Outcome> {
    return this.send([args])[0] as Promise<Outcome>;
  }

  close(): void {
    this.isClosed = true;
    for (const client of this.#clients.values()) void client.then((each) => each.close()).catch(() => {});
  }

  #together(requests: readonly Request[], names: readonly string[]): Promise<Outcome>[] {
    const key = requests.map(keyOf).find((each) => each !== undefined) ?? '';
    const port = this.#held ?? this.#directory.portOf(key);
    const isOver = names.some((name) => name === 'EXEC' || name === 'UNWATCH' || name === 'DISCARD');
    this.#held = isOver ? undefined : port;
    const sent = this.#client(port).then((client) => client?.send(requests));
    return requests.map(async (_, i) => {
      const outcome = (await (await sent)?.[i]) ?? lost();
      this.#redirect(outcome, key, port);
      // Whatever was watched there is not watched any more.
      if (outcome.reply instanceof Failure && this.#held !== undefined) this.close();
      return this.#own(outcome, this.#order++);
    });
  }

  async #alone(request: Request): Promise<Outcome> {
    const order = this.#order++;
    const key = keyOf(request) ?? '';
    let ask: Redirect | undefined;
    for (let left = ATTEMPTS_MAX; ; left--) {
      const port = ask?.port ?? this.#directory.portOf(key);
      const client = await this.#client(port);
      const sent = client?.send(ask === undefined ? [request] : [['ASKING'], request]);
      const outcome = (await sent?.at(-1)) ?? lost();
      const isTryAgain = outcome.reply instanceof Failure && outcome.reply.message.startsWith('TRYAGAIN');
      const redirect = this.#redirect(outcome, key, port);
      if (left === 0 || (!isTryAgain && redirect === undefined)) return this.#own(outcome, order);
      if (isTryAgain) await delay(TRY_AGAIN_MS);
      else ask = redirect?.isAsk === true ? redirect : undefined;
    }
  }

  #own(outcome: Outcome, order: number): Outcome {
    return { ...outcome, order, connection: this.number };
  }

  #redirect({ reply }: Outcome, key: string, from: number): Redirect | undefined {
    if (!(reply instanceof Failure)) return undefined;
    if (reply.isLost) this.#directory.failed(from);
    const [, kind, port] = /^(MOVED|ASK) \d+ .*:(\d+)$/.exec(reply.message) ?? [];
    if (port === undefined) return undefined;
    if (kind === 'MOVED') this.#directory.moved(key, Number(port));
    return { port: Number(port), isAsk: kind === 'ASK' };
  }

  async #client(port: number): Promise<Client | undefined> {
    const known = this.#clients.get(port);
    if (known !== undefined) {
      const client = await known.catch(() => undefined);
      if (client?.isClosed === false) return client;
      // Somebody else has noticed it first.
      if (this.#clients.get(port) !== known) return this.#client(port);
    }
    const connecting = this.#connect(port);
    this.#clients.set(port, connecting);
    return connecting.catch(() => undefined);
  }
}

/** The first key of a request, as latin1; undefined = it has none. */
function keyOf(request: Request): string | undefined {
  const name = textOf(request[0] as Argument).toUpperCase();
  if (KEYLESS.has(name)) return undefined;
  const at = name === 'EVAL' ? 3 : 1;
  return request[at] === undefined ? undefined : textOf(request[at]);
}

/** Nobody was there to ask. */
function lost(): Outcome {
  const reply = new Failure('the connection was lost', true);
  return { reply, start: performance.now(), end: Infinity, connection: 0, order: 0 };
}
