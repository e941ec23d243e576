import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Resolves once the server answers PING with PONG, however often that has to be asked, or when `signal` aborts.
 *  Errors: rejects after 40 seconds. */
export async function waitForPong(address: Address, password?: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + 40_000;
  for (;;) {
    if (signal?.aborted) return;
    if ((await ping(address, password).catch(String)).includes('+PONG')) return;
    if (performance.now() > deadline) throw new Error(`no PONG from port ${address.port} within 40 s`);
    await delay(10);
  }
}

async function ping({ host, port }: Address, password: string | undefined): Promise<string> {
  const socket = createConnection({ host, port });
  try {
    await once(socket, 'connect');
    if (password !== undefined) {
      socket.write(`*2\r\n$4\r\nAUTH\r\n$${Buffer.byteLength(password)}\r\n${password}\r\n`);
    }
    socket.write('PING\r\nQUIT\r\n');
    let answer = '';
    for await (const chunk of socket) {
      answer += String(chunk);
      // A Sentinel knows no QUIT, so the connection would stay open.
      if (answer.includes('+PONG')) break;
    }
    return answer;
  } finally {
    socket.destroy();
  }
}
