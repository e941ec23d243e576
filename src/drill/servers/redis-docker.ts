import { execFile, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { onProcessEnd } from './at-exit.ts';
import { waitForPong } from './ping.ts';
import type { RedisBackend, RedisOptions, RedisServer } from './redis-backend.ts';
import { redisAddress, redisArgs } from './redis-backend.ts';

const run = promisify(execFile);

/** What stands for a signal. The other processes of a container are frozen and thawed with its first. */
const VERBS: Partial<Record<NodeJS.Signals, string>> = {
  SIGTERM: 'stop',
  SIGKILL: 'kill',
  SIGSTOP: 'pause',
  SIGCONT: 'unpause',
};

/** Runs redis-server in containers by the `docker` command, on the host's network, so that ports and addresses are those of
 *  processes. `start` rejects when the engine's loopback is not this machine's. */
export function dockerBackend(image: string): RedisBackend {
  return {
    name: 'container',
    async start(options, port, dir) {
      const server = new DockerRedis(options, port, dir);
      try {
        await server.run(image);
      } catch (error) {
        await server.stop();
        throw error;
      }
      return server;
    },
  };
}

class DockerRedis implements RedisServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly socketPath: string | undefined;
  pid = 0;
  readonly #options: RedisOptions;
  readonly #dir: string;
  readonly #container: string;
  readonly #forget: () => void;

  constructor(options: RedisOptions, port: number, dir: string) {
    const address = redisAddress(options, port, dir);
    ({ host: this.host, port: this.port, url: this.url, socketPath: this.socketPath } = address);
    this.#options = options;
    this.#dir = dir;
    this.#container = `nearcache-${process.pid}-${port}`;
    this.#forget = onProcessEnd(() => {
      spawnSync('docker', ['rm', '--force', this.#container]);
      rmSync(dir, { recursive: true, force: true });
    });
  }

  async run(image: string): Promise<void> {
    // As who runs this: else what the server writes could not be removed by him.
    const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    const container = ['--name', this.#container, '--network', 'host', '--user', user];
    const server = ['redis-server', ...redisArgs(this.#options, this.port, this.#dir)];
    await run('docker', [
      'run',
      '--detach',
      ...container,
      '--volume',
      `${this.#dir}:${this.#dir}`,
      image,
      ...server,
    ]);
    await this.#ready();
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!(await this.#isRunning())) return;
    const verb = VERBS[signal];
    if (verb === undefined) await run('docker', ['kill', '--signal', signal, this.#container]);
    else await run('docker', [verb, this.#container]);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await run('docker', ['wait', this.#container]);
  }

  async stop(): Promise<void> {
    this.#forget();
    // Not there = what was asked for.
    await run('docker', ['rm', '--force', this.#container]).catch(() => {});
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async restart(): Promise<void> {
    await this.kill('SIGKILL');
    await run('docker', ['start', this.#container]);
    await this.#ready();
  }

  async #ready(): Promise<void> {
    const giveUp = new AbortController();
    const ended = (async () => {
      await run('docker', ['wait', this.#container]);
      if (giveUp.signal.aborted) return;
      const { stdout, stderr } = await run('docker', ['logs', '--tail', '20', this.#container]);
      throw new Error(`redis-server ended before it answered:\n${stdout}${stderr}`);
    })();
    // Only what happens before it answers matters.
    ended.catch(() => {});
    await Promise.race([ended, waitForPong(this, this.#options.password, giveUp.signal)]);
    giveUp.abort();
    this.pid = Number(await this.#inspect('.State.Pid'));
  }

  async #isRunning(): Promise<boolean> {
    return (await this.#inspect('.State.Running')) === 'true';
  }

  async #inspect(field: string): Promise<string> {
    const { stdout } = await run('docker', ['inspect', '--format', `{{${field}}}`, this.#container]);
    return stdout.trim();
  }
}
