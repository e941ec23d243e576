import { createLogger } from '../../src/base/log.ts';
import { encodeRequest } from '../../src/protocol/encoder.ts';
import { Backoff } from '../../src/shard/backoff.ts';
import { OwnCall } from '../../src/shard/call.ts';
import type { Credentials } from '../../src/shard/credentials.ts';
import { SharedConnection } from '../../src/shard/shared-connection.ts';
import { ShardStats } from '../../src/shard/shard-stats.ts';
import { helloReply } from './hello-reply.ts';
import { ManualClock } from './manual-clock.ts';
import { type ScriptedConnection, ScriptedServer } from './scripted-server.ts';
import { until } from './sidecar.ts';

/** A shared connection whose Redis, clock and chance are the test's. At most `IN_FLIGHT_MAX` calls are out. */
export class SharedStage {
  readonly server: ScriptedServer;
  readonly clock: ManualClock = new ManualClock();
  readonly shared: SharedConnection;
  credentials: () => Credentials = () => ({ user: undefined, password: undefined });
  /** What the listener heard. */
  readonly events: string[] = [];
  /** What calls were told, in order. */
  readonly answers: string[] = [];

  private constructor(server: ScriptedServer) {
    this.server = server;
    this.shared = new SharedConnection(
      {
        address: () => server.address,
        credentials: () => this.credentials(),
        tracks: true,
        connectTimeoutMs: 1000,
        knownServer: () => undefined,
        heartbeatMs: 250,
        queueTimeoutMs: 1000,
        inFlightMax: IN_FLIGHT_MAX,
      },
      {
        clock: this.clock,
        backoff: new Backoff(50, 1000, () => 0.5),
        listener: {
          invalidated: (keys) => this.events.push(`invalidated: ${String(keys)}`),
          ready: () => this.events.push('ready'),
          lost: (_shared, reason) => this.events.push(`lost: ${reason}`),
        },
        stats: new ShardStats(),
        log: createLogger({ level: 'silent', format: 'json' }),
      },
    );
  }

  static async set(): Promise<SharedStage> {
    return new SharedStage(await ScriptedServer.start());
  }

  async strike(): Promise<void> {
    this.shared.close();
    await this.server.stop();
  }

  /** Take the next connection and answer its handshake as Redis would. */
  async greet(fields: Parameters<typeof helloReply>[0] = {}): Promise<ScriptedConnection> {
    const redis = await this.server.connection();
    await redis.requests(HANDSHAKE_REQUESTS);
    redis.send(`${helloReply(fields)}*1\r\n_\r\n+OK\r\n`);
    await until('ready', () => this.shared.isReady);
    return redis;
  }

  /** Send a GET of `name`; what it is told appears in `answers`. */
  ask(name: string, db = 0): void {
    const bytes = encodeRequest(['GET', name]);
    const call = new OwnCall((reply, failure) => {
      const text = reply === undefined ? `${failure?.kind}, ${failure?.reason}` : String(reply).trim();
      this.answers.push(`${name}: ${text}`);
    });
    call.sentAt = this.clock.now();
    this.shared.submit(call, bytes, 0, bytes.length, db);
  }
}

export const IN_FLIGHT_MAX = 8;
/** HELLO, the probe and CLIENT TRACKING. */
export const HANDSHAKE_REQUESTS = 3;
