import { type Argument, connectRaw, encodeRequest, type RawClient } from './raw-client.ts';

/** A request and what may be answered: `check` says what is wrong with a reply that is no error. */
interface Expectation {
  args: readonly Argument[];
  check: (reply: string) => string | undefined;
}

/** One kind of session. Its loop runs until the load is over; it may return or reject when its connection has ended. */
type Work = (client: RawClient, number: number) => Promise<void>;

/** Longest wait for one reply; far beyond every bound a test asserts, so that an unanswered request is told apart. */
const GIVE_UP_MS = 20_000;
const BIG_BYTES = 300_000;

/** Sessions of many kinds that know what each reply must be: keys belong to one session, and values carry their key and
 *  a number that only grows, so a reply that went to the wrong request, a value that is older than an acknowledged write,
 *  and a write that ran twice are all noticed. Data must survive what the test does to Redis (append-only file). */
export class CheckedLoad {
  /** Replies that were as expected. */
  good = 0;
  /** Error replies, by text. */
  readonly errors: Map<string, number> = new Map();
  /** Replies that are wrong, in words, and requests that were never answered. */
  readonly wrong: string[] = [];
  /** Longest wait for a reply, an error or the end of the connection. Units: ms. */
  slowestMs = 0;
  /** Connections that nearcache has closed, by kind of session. */
  readonly closed: Map<string, number> = new Map();
  readonly #port: number;
  readonly #over = new AbortController();
  readonly #running: Promise<void>[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** Error replies of all texts. */
  get failed(): number {
    return [...this.errors.values()].reduce((sum, count) => sum + count, 0);
  }

  start(): void {
    this.#many('pipeline', 12, (client, number) => this.#pipelines(client, number));
    this.#many('transaction', 6, (client, number) => this.#transactions(client, number));
    this.#many('step', 6, (client, number) => this.#stepTransactions(client, number));
    this.#many('blocking', 6, (client, number) => this.#pops(client, number));
    this.#many('pushing', 6, (client, number) => this.#pushes(client, number));
    this.#many('big', 3, (client, number) => this.#bigReads(client, number));
  }

  /** Ends all sessions after the replies they wait for. */
  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#running);
  }

  /** Half of the sessions speak RESP3. A session that nearcache closes is opened again. */
  #many(kind: string, count: number, work: Work): void {
    for (let number = 0; number < count; number++) {
      this.#running.push(
        (async () => {
          while (!this.#over.signal.aborted) {
            const client = await connectRaw({ port: this.#port });
            if (number % 2 === 1) await this.#hello(client);
            await work(client, number).catch(() => {
              this.closed.set(kind, (this.closed.get(kind) ?? 0) + 1);
            });
            client.close();
          }
        })(),
      );
    }
  }

  async #hello(client: RawClient): Promise<void> {
    await client.call('HELLO', '3').catch(() => undefined);
  }

  // --- kinds of sessions ---------------------------------------------------------------------------------------

  /** Reads and writes of the session's own keys, twenty in one packet. */
  async #pipelines(client: RawClient, number: number): Promise<void> {
    const register = new Register(`own:${number}`);
    const counter = new Counter(`count:${number}`);
    while (!this.#over.signal.aborted) {
      const batch: Expectation[] = [];
      for (let i = 0; i < 4; i++) {
        batch.push(register.write(), register.read(), register.read(), counter.increment());
        const token = `token:${number}:${register.sent}:${i}`;
        batch.push({
          args: ['EVAL', 'return ARGV[1]', '0', token],
          check: (reply) => mustBe(reply, bulk(token)),
        });
      }
      await this.#run(client, batch);
    }
  }

  /** Transactions that arrive whole. */
  async #transactions(client: RawClient, number: number): Promise<void> {
    const register = new Register(`whole:${number}`);
    while (!this.#over.signal.aborted) {
      const [write, read] = [register.write(), register.read()];
      await this.#run(client, [
        { args: ['MULTI'], check: (reply) => mustBe(reply, '+OK\r\n') },
        { args: write.args, check: (reply) => mustBe(reply, '+QUEUED\r\n') },
        { args: read.args, check: (reply) => mustBe(reply, '+QUEUED\r\n') },
        { args: ['EXEC'], check: (reply) => checkExec(reply, write, read) },
      ]);
    }
  }

  /** Transactions one command at a time. */
  async #stepTransactions(client: RawClient, number: number): Promise<void> {
    const register = new Register(`step:${number}`);
    while (!this.#over.signal.aborted) {
      const [write, read] = [register.write(), register.read()];
      const steps: Expectation[] = [
        { args: ['MULTI'], check: (reply) => mustBe(reply, '+OK\r\n') },
        { args: write.args, check: (reply) => mustBe(reply, '+QUEUED\r\n') },
        { args: read.args, check: (reply) => mustBe(reply, '+QUEUED\r\n') },
        { args: ['EXEC'], check: (reply) => checkExec(reply, write, read) },
      ];
      for (const step of steps) {
        // After an error nobody knows whether this connection is in a transaction: an app begins anew.
        if (!(await this.#run(client, [step]))) return;
      }
    }
  }

  async #pops(client: RawClient, number: number): Promise<void> {
    const queue = `queue:${number}`;
    const item = `${bulk(queue)}${bulk(`${queue}=1`)}`;
    while (!this.#over.signal.aborted) {
      await this.#run(client, [
        {
          args: ['BLPOP', queue, '0.3'],
          check: (reply) => (/^(\*-1|_)\r\n$/.test(reply) ? undefined : mustBe(reply, `*2\r\n${item}`)),
        },
      ]);
    }
  }

  async #pushes(client: RawClient, number: number): Promise<void> {
    const queue = `queue:${number}`;
    while (!this.#over.signal.aborted) {
      await this.#run(client, [
        { args: ['RPUSH', queue, `${queue}=1`], check: (reply) => mustMatch(reply, /^:[1-9]\d*\r\n$/) },
        { args: ['LTRIM', queue, '0', '9'], check: (reply) => mustBe(reply, '+OK\r\n') },
      ]);
    }
  }

  /** Replies of many packets, which a lost connection may cut in the middle. */
  async #bigReads(client: RawClient, number: number): Promise<void> {
    const key = `big:${number}`;
    const value = key.repeat(BIG_BYTES / key.length);
    while (!this.#over.signal.aborted) {
      await this.#run(client, [
        { args: ['SET', key, value], check: (reply) => mustBe(reply, '+OK\r\n') },
        { args: ['GET', key], check: (reply) => mustBe(reply, bulk(value)) },
        { args: ['GETRANGE', key, '0', '4'], check: (reply) => mustBe(reply, bulk(value.slice(0, 5))) },
      ]);
    }
  }

  // --- asking --------------------------------------------------------------------------------------------------

  /** Send these in one packet and judge each reply. True when none was an error. */
  async #run(client: RawClient, batch: readonly Expectation[]): Promise<boolean> {
    const sentAt = performance.now();
    client.send(Buffer.concat(batch.map(({ args }) => encodeRequest(args))));
    let areGood = true;
    for (const expectation of batch) {
      const reply = await this.#reply(client, expectation);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - sentAt);
      if (reply === undefined) throw new Error('closed');
      areGood = this.#judge(reply, expectation) && areGood;
    }
    return areGood;
  }

  /** undefined: the connection has ended instead. */
  async #reply(client: RawClient, { args }: Expectation): Promise<string | undefined> {
    try {
      return (await client.readFrame(GIVE_UP_MS)).toString('latin1');
    } catch (error) {
      if (String(error).includes('no whole reply')) this.wrong.push(`${show(args)}: never answered`);
      return undefined;
    }
  }

  #judge(reply: string, { args, check }: Expectation): boolean {
    if (reply.startsWith('-')) {
      const text = reply.slice(1, -2);
      this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
      return false;
    }
    const complaint = check(reply);
    if (complaint === undefined) this.good++;
    else this.wrong.push(`${show(args)}: ${complaint}`);
    return true;
  }
}

/** A key whose value is `key=n`, n growing with each write. */
class Register {
  sent = 0;
  #acknowledged = 0;
  readonly #key: string;
  readonly #pattern: RegExp;

  constructor(key: string) {
    this.#key = key;
    this.#pattern = new RegExp(`^\\$\\d+\\r\\n${key}=(\\d+)\\r\\n$`);
  }

  write(): Expectation {
    const n = ++this.sent;
    return {
      args: ['SET', this.#key, `${this.#key}=${n}`],
      check: (reply) => {
        this.#acknowledged = n;
        return mustBe(reply, '+OK\r\n');
      },
    };
  }

  read(): Expectation {
    const latest = this.sent;
    return {
      args: ['GET', this.#key],
      check: (reply) => {
        if (/^(\$-1|_)\r\n$/.test(reply) && this.#acknowledged === 0) return undefined;
        const n = Number(this.#pattern.exec(reply)?.[1] ?? NaN);
        if (n >= this.#acknowledged && n <= latest) return undefined;
        return `${JSON.stringify(reply)} is not of ${this.#key} from ${this.#acknowledged} to ${latest}`;
      },
    };
  }
}

/** A key that is only incremented: its replies grow and never exceed the number of requests. */
class Counter {
  #sent = 0;
  #last = 0;
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  increment(): Expectation {
    const most = ++this.#sent;
    return {
      args: ['INCR', this.#key],
      check: (reply) => {
        const n = Number(/^:(\d+)\r\n$/.exec(reply)?.[1] ?? NaN);
        const isRight = n > this.#last && n <= most;
        this.#last = n;
        return isRight ? undefined : `${JSON.stringify(reply)} after ${most} requests`;
      },
    };
  }
}

function checkExec(reply: string, write: Expectation, read: Expectation): string | undefined {
  const start = '*2\r\n+OK\r\n';
  if (!reply.startsWith(start)) return mustBe(reply, `${start}…`);
  return write.check('+OK\r\n') ?? read.check(reply.slice(start.length));
}

function bulk(value: string): string {
  return `$${value.length}\r\n${value}\r\n`;
}

function mustBe(reply: string, expected: string): string | undefined {
  return reply === expected ? undefined : `${show([reply])} instead of ${show([expected])}`;
}

function mustMatch(reply: string, expected: RegExp): string | undefined {
  return expected.test(reply) ? undefined : `${show([reply])} does not match ${expected}`;
}

function show(args: readonly Argument[]): string {
  return args.map((arg) => JSON.stringify(String(arg)).slice(0, 80)).join(' ');
}
