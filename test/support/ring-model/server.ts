import type { Reply } from '../../../src/protocol/reply-parser.ts';
import type { Arguments } from '../../../src/route/ring-scripts.ts';

/** A Redis that holds one database of strings and the ring's record, and does what the scripts of a change do. */
export class ModelServer {
  readonly values: Map<string, string> = new Map();
  readonly marks: Set<string> = new Set();
  /** Names of the connections. */
  readonly names: Map<object, string> = new Map();
  line = '';
  readonly #peers: readonly ModelServer[];
  readonly #faults: ModelFaults;

  constructor(peers: readonly ModelServer[], faults: ModelFaults) {
    this.#peers = peers;
    this.#faults = faults;
  }

  run(args: readonly string[], link: object): Reply {
    const [command, ...rest] = args as [string, ...string[]];
    switch (command) {
      case 'EVAL':
        return this.#script(rest);
      case 'GET':
        return rest[0] === 'nearcache:ring' ? this.line : this.values.get(rest[0] as string);
      case 'SET':
        this.values.set(rest[0] as string, rest[1] as string);
        return 'OK';
      case 'SETNX':
        if (this.values.has(rest[0] as string)) return 0;
        this.values.set(rest[0] as string, rest[1] as string);
        return 1;
      case 'INCR': {
        const value = Number(this.values.get(rest[0] as string) ?? 0) + 1;
        this.values.set(rest[0] as string, String(value));
        return value;
      }
      case 'DEL':
        return this.values.delete(rest[0] as string) ? 1 : 0;
      case 'CLIENT':
        this.names.set(link, rest[1] as string);
        return 'OK';
      default:
        throw new Error(`the model has no ${command}`);
    }
  }

  #script([script, count, ...rest]: readonly string[]): Reply {
    const keys = rest.slice(0, Number(count));
    const args = rest.slice(Number(count));
    const [text] = [script as string];
    if (text.includes("'RESTORE'")) return this.#put(keys, args);
    if (text.startsWith('local line')) return this.#step(args);
    if (this.line !== args[0]) return { error: `EPOCH ${this.line}` };
    if (text.includes("'MIGRATE'")) return this.#migrate(args.slice(2));
    const key = keys[1] as string;
    if (text.includes("'DUMP'")) {
      const value = this.values.get(key);
      return value === undefined ? 'NOKEY' : [value, -1];
    }
    return this.values.delete(key) ? 1 : 0;
  }

  #step([old, line]: readonly string[]): Reply {
    if (this.line !== old) return this.line;
    this.line = line as string;
    return this.line;
  }

  #migrate(args: readonly string[]): Reply {
    const peer = this.#peers[Number(args[1])] as ModelServer;
    const key = args.at(-1) as string;
    const value = this.values.get(key);
    if (value === undefined) return 'NOKEY';
    if (peer.values.has(key) && !this.#faults.replaces) {
      return { error: 'ERR Target instance replied with error: BUSYKEY Target key name already exists.' };
    }
    peer.values.set(key, value);
    this.values.delete(key);
    return 'OK';
  }

  #put(keys: readonly string[], args: readonly string[]): Reply {
    const key = keys[1] as string;
    if (this.marks.has(key) && !this.#faults.ignoresMarks) return 'NOKEY';
    if (this.values.has(key)) {
      return this.#faults.ignoresMarks ? 'OK' : { error: 'BUSYKEY Target key name already exists.' };
    }
    this.values.set(key, args[3] as string);
    this.marks.add(key);
    return 'OK';
  }
}

/** What a wrong protocol would do. */
export interface ModelFaults {
  readonly replaces?: boolean;
  readonly ignoresMarks?: boolean;
  /** The old owner is left without waiting for those that still use it. */
  readonly skipsHold?: boolean;
  /** Sidecars do not wait for their last command before they say that they hold. */
  readonly forgetsOutstanding?: boolean;
  /** Sidecars run commands without moving the key first. */
  readonly movesNothing?: boolean;
}

/** Requests in order to a server, and their replies in order back: each step of either is a choice of the schedule. */
export class ModelLink {
  readonly #server: ModelServer;
  readonly #isEager: boolean;
  readonly #sent: { args: string[]; done: (reply: Reply) => void }[] = [];
  readonly #answered: { reply: Reply; done: (reply: Reply) => void }[] = [];
  /** Whoever sent them is gone: they still arrive, and nobody hears the replies. */
  isDeaf = false;

  /** `isEager`: a reply is there as soon as it is made. Requests may be late all the same, which is as good to find faults within one epoch. */
  constructor(server: ModelServer, isEager = false) {
    this.#server = server;
    this.#isEager = isEager;
  }

  send(request: Arguments, _db: number, done: (reply: Reply, failure: undefined) => void): void {
    const args = request.map((arg) => (typeof arg === 'string' ? arg : arg.latin1Slice()));
    this.#sent.push({ args, done: (reply) => done(reply, undefined) });
  }

  /** What can happen next on this link. */
  get steps(): (() => void)[] {
    const steps: (() => void)[] = [];
    if (this.#sent.length > 0) steps.push(() => this.#execute());
    if (this.#answered.length > 0 && !this.isDeaf) steps.push(() => this.#deliver());
    return steps;
  }

  #execute(): void {
    const { args, done } = this.#sent.shift() as { args: string[]; done: (reply: Reply) => void };
    this.#answered.push({ reply: this.#server.run(args, this), done });
    if (this.#isEager && !this.isDeaf) this.#deliver();
  }

  #deliver(): void {
    const { reply, done } = this.#answered.shift() as { reply: Reply; done: (reply: Reply) => void };
    done(reply);
  }
}
