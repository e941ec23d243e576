import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';

import { onProcessEnd } from '../../src/drill/servers/at-exit.ts';
import { waitForPong } from '../../src/drill/servers/ping.ts';
import { redisAddress, redisArgs } from '../../src/drill/servers/redis-backend.ts';
import type { RedisBackend, RedisOptions, RedisServer } from '../../src/drill/servers/redis-backend.ts';

const image = 'redis:7-local';

/** Runs this machine's redis-server in a container on the host's network, so that ports and addresses are those of the
 *  process backend. The image is made here, from the binary and its libraries: no registry is asked for one. */
export const containerBackend: RedisBackend = {
  name: 'container',
  async start(options, port, dir) {
    importImage();
    // The reaper is one more image from a registry; what it would do, `onProcessEnd` does.
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
    const container = await new GenericContainer(image)
      .withNetworkMode('host')
      .withBindMounts([{ source: dir, target: dir }])
      .withCommand(['redis-server', ...redisArgs(options, port, dir)])
      .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections|Sentinel ID is/))
      .withAutoRemove(false)
      .start();
    const client = await getContainerRuntimeClient();
    const server = new ContainerRedis(client.container.getById(container.getId()), options, port, dir);
    await server.ready();
    return server;
  },
};

function importImage(): void {
  if (spawnSync('docker', ['image', 'inspect', image]).status === 0) return;
  const binary = execFileSync('which', ['redis-server'], { encoding: 'utf8' }).trim();
  const libraries = execFileSync('ldd', [binary], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  const files = execFileSync('tar', ['-cPh', binary, ...libraries], { maxBuffer: 256 << 20 });
  execFileSync('docker', ['import', '-', image], { input: files });
}

/** What of a dockerode container is used here. */
interface Container {
  readonly id: string;
  inspect(): Promise<{ State: { Pid: number; Running: boolean } }>;
  kill(options: { signal: string }): Promise<unknown>;
  wait(): Promise<unknown>;
  start(): Promise<unknown>;
  remove(options: { force: boolean }): Promise<unknown>;
}

class ContainerRedis implements RedisServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly socketPath: string | undefined;
  pid = 0;
  readonly #container: Container;
  readonly #password: string | undefined;
  readonly #dir: string;
  readonly #forget: () => void;
  #stopped = false;

  constructor(container: Container, options: RedisOptions, port: number, dir: string) {
    ({
      host: this.host,
      port: this.port,
      url: this.url,
      socketPath: this.socketPath,
    } = redisAddress(options, port, dir));
    this.#container = container;
    this.#password = options.password;
    this.#dir = dir;
    this.#forget = onProcessEnd(() => {
      spawnSync('docker', ['rm', '--force', container.id]);
      rmSync(dir, { recursive: true, force: true });
    });
  }

  async ready(): Promise<void> {
    await waitForPong(this, this.#password);
    this.pid = (await this.#container.inspect()).State.Pid;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!(await this.#container.inspect()).State.Running) return;
    await this.#container.kill({ signal });
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.#container.wait();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#container.remove({ force: true });
    this.#forget();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async restart(): Promise<void> {
    await this.kill('SIGKILL');
    await this.#container.start();
    await this.ready();
  }
}
