/** What a drill or a test asks of a server.
 *  Shape: `args` are redis-server's own flags, e.g. `['--appendonly', 'yes']`; they win over ours. */
export interface RedisOptions {
  args?: readonly string[];
  /** Default: a free loopback port. */
  port?: number;
  /** Also listen on a Unix socket, `RedisServer.socketPath`. */
  unixSocket?: boolean;
  /** Set as requirepass. */
  password?: string;
  /** Run as a Sentinel that starts with this configuration, which it writes itself from then on. */
  sentinelConfig?: string;
}

/** Where a server is reached. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** `redis://…` with the password, as `--upstream` takes it. */
  readonly url: string;
  /** Undefined unless asked for. */
  readonly socketPath: string | undefined;
}

/** One running redis-server that keeps its port and its directory across `restart`. */
export interface RedisServer extends RedisAddress {
  /** Changes with a restart. */
  readonly pid: number;
  /** Ends the server and removes its directory; does nothing the second time. */
  stop(): Promise<void>;
  /** Sends a signal. Resolves once the process has ended, or at once for SIGSTOP and SIGCONT; does nothing when it
   *  has ended already. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends the server, if it still runs, and starts it again on the same port and directory. */
  restart(): Promise<void>;
}

/** A way to run redis-server: as a process of this machine or in a container. */
export interface RedisBackend {
  readonly name: 'process' | 'container';
  /** Starts a server whose directory is `dir`, on `port`, and waits until it answers. */
  start(options: RedisOptions, port: number, dir: string): Promise<RedisServer>;
}

/** The command line of a server that saves nothing unless `options.args` says so. */
export function redisArgs(options: RedisOptions, port: number, dir: string): string[] {
  const args = options.sentinelConfig === undefined ? [] : [sentinelConfigIn(dir), '--sentinel'];
  args.push('--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--daemonize', 'no');
  // A server on loopback that lives for one test or drill may have DEBUG.
  args.push('--enable-debug-command', 'yes');
  if (options.unixSocket) args.push('--unixsocket', socketPathIn(dir));
  if (options.password !== undefined) args.push('--requirepass', options.password);
  return [...args, ...(options.args ?? [])];
}

export function redisAddress(options: RedisOptions, port: number, dir: string): RedisAddress {
  const host = '127.0.0.1';
  const auth = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  const socketPath = options.unixSocket ? socketPathIn(dir) : undefined;
  return { host, port, url: `redis://${auth}${host}:${port}`, socketPath };
}

/** Where a Sentinel whose directory is `dir` keeps what it knows. */
export function sentinelConfigIn(dir: string): string {
  return `${dir}/sentinel.conf`;
}

function socketPathIn(dir: string): string {
  return `${dir}/redis.sock`;
}
