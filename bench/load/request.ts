/** The two commands of the load: their bytes, and the bytes of the only right answer. */
import { once } from 'node:events';
import { createConnection } from 'node:net';

export const testNames = ['get', 'set'] as const;
export type TestName = (typeof testNames)[number];

/** What a connection sends at once and what must come back for it. */
export interface Batch {
  readonly bytes: Buffer;
  readonly requests: number;
}

/** The keys that redis-benchmark uses: with one key the unexpanded pattern, else `-r` numbers of 12 digits. */
export function keyNames(keys: number): string[] {
  if (keys === 1) return ['key:__rand_int__'];
  return Array.from({ length: keys }, (_, i) => `key:${String(i).padStart(12, '0')}`);
}

/** The value that redis-benchmark writes for `-d size`, so that either may have written the key. */
export function valueOf(size: number): string {
  return 'x'.repeat(size);
}

/** Batches that together walk over the keys.
 *  Bounds: at most 64, so that 16 KiB values do not fill the memory. */
export function buildBatches(
  test: TestName,
  keys: readonly string[],
  size: number,
  pipeline: number,
): Batch[] {
  const count = Math.min(keys.length, 64);
  return Array.from({ length: count }, (_, first) => {
    const requests = Array.from({ length: pipeline }, (_, i) => {
      const key = keys[(first * pipeline + i) % keys.length] as string;
      return test === 'get' ? encode(['GET', key]) : encode(['SET', key, valueOf(size)]);
    });
    return { bytes: Buffer.concat(requests), requests: pipeline };
  });
}

/** The one right reply. */
export function expectedReply(test: TestName, size: number): Buffer {
  return Buffer.from(test === 'get' ? `$${size}\r\n${valueOf(size)}\r\n` : '+OK\r\n', 'latin1');
}

/** Does a SET to this port succeed? twemproxy knows no inline PING, so a real command asks. */
export async function answersSet(port: number): Promise<boolean> {
  const socket = createConnection({ host: '127.0.0.1', port });
  const signal = AbortSignal.timeout(1_000);
  try {
    await once(socket, 'connect', { signal });
    socket.write(encode(['SET', 'bench:started', '1']));
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
    return answer.toString('latin1') === '+OK\r\n';
  } catch {
    return false;
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

/** A request as clients send it. Shape: arguments of one-byte characters. */
export function encode(args: readonly string[]): Buffer {
  const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join('')}`, 'latin1');
}
