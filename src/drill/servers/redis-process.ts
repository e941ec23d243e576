import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';

import { onProcessEnd } from './at-exit.ts';
import { waitForPong } from './ping.ts';
import { redisAddress, redisArgs } from './redis-backend.ts';
import type { RedisBackend, RedisOptions, RedisServer } from './redis-backend.ts';

/** Runs the redis-server that is on the PATH. */
export const processBackend: RedisBackend = {
  name: 'process',
  async start(options, port, dir) {
    const server = new ProcessRedis(options, port, dir);
    try {
      await server.launch();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  },
};

class ProcessRedis implements RedisServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly socketPath: string | undefined;
  readonly #options: RedisOptions;
  readonly #dir: string;
  readonly #forget: () => void;
  #child: ChildProcess | undefined;

  constructor(options: RedisOptions, port: number, dir: string) {
    ({
      host: this.host,
      port: this.port,
      url: this.url,
      socketPath: this.socketPath,
    } = redisAddress(options, port, dir));
    this.#options = options;
    this.#dir = dir;
    this.#forget = onProcessEnd(() => {
      this.#child?.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    });
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('redis-server is not running');
    return this.#child.pid;
  }

  async launch(): Promise<void> {
    const args = redisArgs(this.#options, this.port, this.#dir);
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        log = (log + chunk.toString()).slice(-4096);
      });
    }
    const giveUp = new AbortController();
    const ended = Promise.race([
      once(child, 'close').then(() => new Error(`redis-server ended before it answered:\n${log}`)),
      once(child, 'error').then(
        ([error]: Error[]) => new Error('redis-server did not start', { cause: error }),
      ),
    ]);
    const failure = await Promise.race([ended, waitForPong(this, this.#options.password, giveUp.signal)]);
    giveUp.abort();
    if (failure !== undefined) throw failure;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await once(child, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    this.#forget();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async restart(): Promise<void> {
    await this.kill('SIGKILL');
    await this.launch();
  }
}
