import { startFrameGate } from './frame-gate.ts';
import type { FrameGate } from './frame-gate.ts';
import { startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import type { Nearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw } from './raw-client.ts';
import type { Argument, RawClient } from './raw-client.ts';
import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';
import { startRelay } from '../../src/drill/servers/relay.ts';
import type { Relay, RelayOptions } from '../../src/drill/servers/relay.ts';

/** Nothing is read but what the test reads, and nothing times out soon. */
export const CALM_FLAGS: readonly string[] =
  '--canary-interval 0 --connect-timeout 10s --command-timeout 20s --breaker-slow-call 20s'.split(' ');

export interface SidecarOptions {
  redisArgs?: readonly string[];
  /** Flags of `nearcache serve`, with blanks between them. Without one that says otherwise there is no canary: its reads
   *  would be counted among those of the test. Nor does anything time out soon, as on a busy machine it might. */
  flags?: string;
  /** The user of nearcache's own connections: `name:password`. */
  user?: string;
  /** False: without the gate, which passes whole frames only. */
  isGated?: boolean;
  relay?: RelayOptions;
  /** Runs before nearcache starts. */
  prepare?: (direct: RawClient) => Promise<void>;
}

/** nearcache before a Redis of its own, with a gate and a relay on the link between them, and a client that goes to Redis
 *  directly, as another program would. */
export class Sidecar {
  readonly redis: RedisServer;
  readonly relay: Relay;
  readonly gate: FrameGate;
  readonly nearcache: Nearcache;
  readonly direct: RawClient;
  readonly #clock: RawClient;
  readonly #apps: RawClient[] = [];

  private constructor(
    parts: Pick<Sidecar, 'redis' | 'relay' | 'gate' | 'nearcache' | 'direct'>,
    clock: RawClient,
  ) {
    ({
      redis: this.redis,
      relay: this.relay,
      gate: this.gate,
      nearcache: this.nearcache,
      direct: this.direct,
    } = parts);
    this.#clock = clock;
  }

  static async start(options: SidecarOptions = {}): Promise<Sidecar> {
    const redis = await startRedis({ args: options.redisArgs ?? [] });
    const direct = await connectRaw({ port: redis.port });
    await options.prepare?.(direct);
    const relay = await startRelay(redis.port, options.relay);
    const gate = await startFrameGate(relay.port);
    const login = options.user === undefined ? '' : `${options.user}@`;
    const nearcache = await startNearcache({
      upstream: `redis://${login}127.0.0.1:${options.isGated === false ? relay.port : gate.port}`,
      flags: [...CALM_FLAGS, ...(options.flags?.split(' ') ?? [])],
    });
    const clock = await connectRaw({ port: nearcache.port });
    return new Sidecar({ redis, relay, gate, nearcache, direct }, clock);
  }

  /** A new app connection; closed by `endSessions`. Shape: RESP2 unless a HELLO follows. */
  async app(): Promise<RawClient> {
    const app = await connectRaw({ port: this.nearcache.port });
    this.#apps.push(app);
    return app;
  }

  /** For afterEach: the next test meets no session and no stop of this one. */
  endSessions(): void {
    this.gate.open();
    for (const app of this.#apps.splice(0)) app.close();
  }

  async stop(): Promise<void> {
    this.endSessions();
    this.#clock.close();
    this.direct.close();
    await this.nearcache.kill();
    await this.gate.stop();
    await this.relay.stop();
    await this.redis.stop();
  }

  /** Everything that was in nearcache's sockets before is processed, and what it sent because of that has arrived here:
   *  PING is answered without Redis, and a socket that was readable before a round trip began was read during the next. */
  async settled(): Promise<void> {
    await settled(this.#clock);
  }

  /** Everything that Redis had sent on the shared connection is processed; not while a stop holds that connection. */
  async caughtUp(): Promise<void> {
    await this.#clock.call('TTL', 'nothing');
  }

  /** How often Redis has run a command; the way to tell a hit from a read. Shape: `name` as INFO commandstats has it. */
  async runs(name: string): Promise<number> {
    const info = String(await this.direct.call('INFO', 'commandstats'));
    return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
  }

  /** Waits until so many clients block at Redis. */
  async blockedClients(count: number): Promise<void> {
    await until(`${count} blocked clients`, async () => {
      const info = String(await this.direct.call('INFO', 'clients'));
      return info.includes(`blocked_clients:${count}\r\n`);
    });
  }

  /** A metric's value, summed over its labels unless they are part of `name`. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.nearcache.adminPort}/metrics`);
    const lines = (await response.text()).split('\n').filter((line) => line.startsWith(name));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** Read until the near-cache answers: two reads of which Redis saw at most one. */
  async warm(app: RawClient, ...read: readonly string[]): Promise<string> {
    const name = (read[0] as string).toLowerCase();
    return eventually(`${read.join(' ')} is cached`, async () => {
      await app.call(...read);
      const before = await this.runs(name);
      const reply = text(await app.call(...read));
      return (await this.runs(name)) === before ? reply : undefined;
    });
  }
}

/** As `Sidecar.settled`, of the nearcache to which `clock` is connected. */
export async function settled(clock: RawClient): Promise<void> {
  for (let i = 0; i < 6; i++) await clock.call('PING');
}

/** Ask again until it is there. Errors: rejects with `what` after 20 seconds. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** Like `eventually`, for a condition. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  await eventually(what, async () => ((await holds()) ? true : undefined));
}

/** The payload of a simple frame: of a bulk its bytes, of nil 'nil', of anything else the line without its CRLF. */
export function text(frame: Buffer): string {
  const latin1 = frame.toString('latin1');
  if (latin1 === '$-1\r\n' || latin1 === '_\r\n' || latin1 === '*-1\r\n') return 'nil';
  if (latin1.startsWith('$')) return latin1.slice(latin1.indexOf('\n') + 1, -2);
  return latin1.slice(0, -2);
}

/** Send one command and read what it says. */
export async function say(client: RawClient, ...args: readonly Argument[]): Promise<string> {
  return text(await client.call(...args));
}

/** For `FrameGate.stopAt('up', …)`: this command, its name and first arguments as given. */
export function request(...args: readonly string[]): (frame: string) => boolean {
  const parts = args.map((arg) => `$${Buffer.byteLength(arg, 'latin1')}\r\n${arg}\r\n`).join('');
  return (frame) => frame.slice(frame.indexOf('\n') + 1).startsWith(parts);
}

/** For `FrameGate.stopAt('down', …)`: an invalidation that names `key`, or the one that means everything. */
export function invalidation(key?: string): (frame: string) => boolean {
  const payload = key === undefined ? '_\r\n' : `$${Buffer.byteLength(key, 'latin1')}\r\n${key}\r\n`;
  return (frame) => frame.startsWith('>2\r\n$10\r\ninvalidate\r\n') && frame.includes(payload);
}
