import { Redis } from 'ioredis';

/** A server, as far as one must know it to send it a command. */
export interface CallTarget {
  readonly host: string;
  readonly port: number;
  readonly password?: string | undefined;
}

/** Longest wait for a connection or one reply: a server that was frozen must not freeze its caller. */
const TIMEOUT_MS = 5_000;

/** Sends one command on a connection of its own, since the servers of a topology come and go.
 *  Errors: rejects with an error reply, when the server cannot be reached, or after `timeoutMs`. */
export function callRedis(
  target: CallTarget,
  args: readonly (string | number)[],
  timeoutMs?: number,
): Promise<unknown> {
  return withRedis(target, (redis) => redis.call(args[0] as string, ...args.slice(1)), timeoutMs);
}

/** Opens a connection, which is closed when `use` has ended. */
export async function withRedis<T>(
  target: CallTarget,
  use: (redis: Redis) => Promise<T>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<T> {
  const redis = new Redis({
    host: target.host,
    port: target.port,
    password: target.password,
    protocol: 2,
    lazyConnect: true,
    retryStrategy: null,
    disableClientInfo: true,
    enableReadyCheck: false,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    disconnectTimeout: 50,
  });
  // What fails, fails the call.
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
