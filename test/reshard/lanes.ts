import { connectRaw, type RawClient } from '../support/raw-client.ts';

/** What all lanes know together, to be compared with the servers in the end. */
export class Ledger {
  /** Acknowledged increments. */
  readonly counters: Map<string, number> = new Map();
  /** Fields that were set in hashes, and elements that were pushed to lists. */
  readonly fields: Map<string, Set<string>> = new Map();
  readonly lengths: Map<string, number> = new Map();
  /** Preloaded keys that were deleted. */
  readonly deleted: Set<number> = new Set();
  readonly wrong: string[] = [];
  commands = 0;
  /** Longest wait for a reply. Units: ms. */
  slowestMs = 0;

  count(counter: Map<string, number>, key: string): void {
    counter.set(key, (counter.get(key) ?? 0) + 1);
  }
}

export interface LaneOptions {
  readonly port: number;
  readonly name: string;
  /** Preloaded strings, half of the keys, are shared out among the lanes. */
  readonly share: { readonly remainder: number; readonly of: number; readonly keys: number };
  /** The value that a preloaded string has. */
  readonly valueOf: (n: number) => string;
}

/** Keys of a lane, so many that they come again. */
const OWN_KEYS = 500;
const COUNTERS = 300;

/** One app connection that sends one command after the other and knows what each reply must be. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #ledger: Ledger;
  readonly #lists = new Map<string, number>();
  readonly #owned = new Set<string>();
  #isOver = false;
  #turn = 0;
  #client: RawClient | undefined;

  constructor(options: LaneOptions, ledger: Ledger) {
    this.#options = options;
    this.#ledger = ledger;
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    this.#client = await connectRaw({ port: this.#options.port });
    try {
      while (!this.#isOver) await this.#round();
    } catch (error) {
      this.#ledger.wrong.push(`${this.#options.name}: ${String(error)}`);
    }
    this.#client.close();
  }

  stop(): void {
    this.#isOver = true;
  }

  async #round(): Promise<void> {
    const ledger = this.#ledger;
    const n = this.#turn++;
    const { name } = this.#options;
    const counter = `counter:${(n * 7) % COUNTERS}`;
    if (await this.#matches(['INCR', counter], /^:\d+\r\n$/)) ledger.count(ledger.counters, counter);
    const hash = `hash:${n % COUNTERS}`;
    const field = `${name}.${n}`;
    if (await this.#matches(['HSET', hash, field, 'v'], /^:1\r\n$/)) {
      const fields = ledger.fields.get(hash) ?? new Set();
      ledger.fields.set(hash, fields.add(field));
    }
    const list = `list:${name}:${n % 50}`;
    const length = (this.#lists.get(list) ?? 0) + 1;
    this.#lists.set(list, length);
    await this.#is(['LPUSH', list, String(n)], `:${length}\r\n`);
    ledger.lengths.set(list, length);
    await this.#own(`own:${name}:${n % OWN_KEYS}`);
    await this.#preloaded(n);
  }

  /** Delete, look, and make again. */
  async #own(key: string): Promise<void> {
    await this.#is(['DEL', key], this.#owned.has(key) ? ':1\r\n' : ':0\r\n');
    await this.#is(['GET', key], '$-1\r\n');
    await this.#is(['SETNX', key, 'v'], ':1\r\n');
    await this.#is(['SETNX', key, 'w'], ':0\r\n');
    await this.#is(['EXPIRE', key, '5000'], ':1\r\n');
    this.#owned.add(key);
  }

  /** Read one that was there before, and delete one of ten. */
  async #preloaded(n: number): Promise<void> {
    const { share, valueOf } = this.#options;
    // Every second key is a string.
    const total = Math.floor(share.keys / 2 / share.of);
    const at = 2 * (((n * 7919) % total) * share.of + share.remainder);
    const value = valueOf(at);
    const isGone = this.#ledger.deleted.has(at);
    await this.#is(['GET', `pre:${at}`], isGone ? '$-1\r\n' : `$${value.length}\r\n${value}\r\n`);
    if (isGone || n % 10 !== 0) return;
    await this.#is(['DEL', `pre:${at}`], ':1\r\n');
    this.#ledger.deleted.add(at);
  }

  async #is(args: readonly string[], wanted: string): Promise<void> {
    const reply = await this.#call(args);
    if (reply !== wanted) this.#complain(args, reply, wanted);
  }

  async #matches(args: readonly string[], wanted: RegExp): Promise<boolean> {
    const reply = await this.#call(args);
    if (wanted.test(reply)) return true;
    this.#complain(args, reply, String(wanted));
    return false;
  }

  async #call(args: readonly string[]): Promise<string> {
    const began = performance.now();
    const reply = (await (this.#client as RawClient).call(...args)).toString('latin1');
    this.#ledger.commands++;
    this.#ledger.slowestMs = Math.max(this.#ledger.slowestMs, performance.now() - began);
    return reply;
  }

  #complain(args: readonly string[], reply: string, wanted: string): void {
    this.#ledger.wrong.push(
      `${this.#options.name}: ${args.join(' ')}: ${reply.trim()}, not ${wanted.trim()}`,
    );
  }
}
