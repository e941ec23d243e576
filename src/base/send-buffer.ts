import type { Server } from 'node:net';

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;

type WithHandle = Server & { _handle?: { fd?: number } | null };

/** Bound what the kernel holds for each client of a listening TCP server that does not read: connections inherit it. Without, Linux lets
 *  a send buffer grow to megabytes (`net.ipv4.tcp_wmem`), and a thousand slow clients have all sockets of the machine short of
 *  memory, on which packets are dropped. Node has no call for it, so that the C library is asked (docs/decisions/0013).
 *  Units: bytes, as of SO_SNDBUF: the kernel doubles them, for its own needs, and gives at most `net.core.wmem_max`.
 *  Returns why it cannot be done here; undefined = it is. Source: socket(7), tcp(7). */
export async function boundSendBuffer(server: Server, bytes: number): Promise<string | undefined> {
  const fd = (server as WithHandle)._handle?.fd;
  if (process.platform !== 'linux') return `it is done on Linux only, and this is ${process.platform}`;
  if (fd === undefined || fd < 0) return 'this Node does not tell the descriptor of a listening socket';
  try {
    const { default: koffi } = await import('koffi');
    const setsockopt = koffi
      .load(null)
      .func('int setsockopt(int fd, int level, int name, const int *value, unsigned int size)');
    return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, [bytes], 4) === 0 ? undefined : 'the kernel refuses it';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
