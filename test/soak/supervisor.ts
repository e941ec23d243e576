import { freePorts } from '../../src/drill/servers/free-port.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';

/** Keeps a nearcache running on the same ports, as Kubernetes does with a container that has ended. */
export class Supervisor {
  readonly port: number;
  readonly adminPort: number;
  /** How those ended that nobody had killed, with their last words. */
  readonly deaths: string[] = [];
  /** What those have logged that are no more. */
  pastLogs = '';
  readonly #start: () => Promise<Nearcache>;
  #current: Nearcache;
  #isExpected = false;
  #isOver = false;
  #restarting: Promise<void> = Promise.resolve();

  private constructor(start: () => Promise<Nearcache>, first: Nearcache) {
    this.#start = start;
    this.#current = first;
    this.port = first.port;
    this.adminPort = first.adminPort;
    this.#watch(first);
  }

  static async start(upstream: string, flags: readonly string[]): Promise<Supervisor> {
    const ports = (await freePorts(2)) as [number, number];
    // Its heap is looked at; the port of the inspector is one that is free.
    const env = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };
    const start = (): Promise<Nearcache> => startNearcache({ upstream, flags, env, ports });
    return new Supervisor(start, await start());
  }

  get pid(): number {
    return this.#current.pid;
  }

  /** Where its inspector answers. */
  get inspectorUrl(): string {
    const url = /ws:\/\/\S+/.exec(this.#current.logs)?.[0];
    if (url === undefined) throw new Error(`nearcache has no inspector:\n${this.#current.logs}`);
    return url;
  }

  get logs(): string {
    return this.pastLogs + this.#current.logs;
  }

  /** kill -9; resolves once another one is started up. */
  async crash(): Promise<void> {
    if (this.#current.hasEnded) await this.#restarting;
    this.#isExpected = true;
    await this.#current.kill();
    await this.#restarting;
  }

  /** Resolves with the exit code, or the signal that was needed. */
  async stop(): Promise<number | string> {
    this.#isOver = this.#isExpected = true;
    await this.#current.stop();
    return this.#current.exited;
  }

  #watch(nearcache: Nearcache): void {
    this.#restarting = nearcache.exited.then((how) => this.#ended(nearcache, how));
    // Whoever waits for it is told.
    this.#restarting.catch(() => {});
  }

  async #ended(nearcache: Nearcache, how: number | string): Promise<void> {
    if (!this.#isExpected) this.deaths.push(`${how}: ${nearcache.logs.slice(-1000)}`);
    if (this.#isOver) return;
    this.#isExpected = false;
    this.pastLogs += nearcache.logs;
    this.#current = await this.#start();
    this.#watch(this.#current);
  }
}
