/** The C library's calls for sockets that a loop of its own serves, without Node's event loop between: a relay that shares a core with the
 *  load would cost more than the load itself.
 *  Source: ppoll(2), recv(2), send(2), shutdown(2). */
import type { Socket } from 'node:net';
import koffi from 'koffi';

const POLLIN = 1;
const POLLOUT = 4;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
/** struct pollfd: int fd, short events, short revents. */
const POLLFD_BYTES = 8;
const NS_PER_MS = 1e6;
const MS_PER_S = 1000;

const libc = koffi.load(null);
const ppoll = libc.func('int ppoll(void *fds, unsigned long count, void *timeout, void *mask)');
const recv = libc.func('long recv(int fd, void *bytes, size_t length, int flags)');
const send = libc.func('long send(int fd, const void *bytes, size_t length, int flags)');
const shutdownSocket = libc.func('int shutdown(int fd, int how)');
const { EAGAIN } = koffi.os.errno as { EAGAIN: number };

/** Of a socket that is connected. Errors: throws where Node does not tell. */
export function descriptorOf(socket: Socket): number {
  const fd = (socket as Socket & { _handle?: { fd?: number } | null })._handle?.fd;
  if (fd === undefined || fd < 0) throw new Error('this Node does not tell the descriptor of a socket');
  return fd;
}

/** What there is to read: its length, 0 at the end of the stream, 'nothing' now, or 'broken'. */
export function receive(fd: number, into: Buffer): number | 'nothing' | 'broken' {
  const length = Number(recv(fd, into, into.length, MSG_DONTWAIT));
  if (length >= 0) return length;
  return koffi.errno() === EAGAIN ? 'nothing' : 'broken';
}

/** How much the kernel has taken, or 'broken'. */
export function sendSome(fd: number, bytes: Buffer): number | 'broken' {
  const length = Number(send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL));
  if (length >= 0) return length;
  return koffi.errno() === EAGAIN ? 0 : 'broken';
}

export function endOf(fd: number): void {
  shutdownSocket(fd, SHUT_WR);
}

/** A set of sockets to wait for. Shape: by place. */
export class PollSet {
  #ints = new Int32Array(0);
  /** The same memory: of each socket two for the descriptor, one for what is asked, one for what is so. */
  #shorts = new Int16Array(0);
  #count = 0;
  readonly #timeout = new Uint32Array(4);

  /** Takes the place of the set before. */
  fill(sockets: readonly { readonly fd: number; readonly reads: boolean; readonly writes: boolean }[]): void {
    this.#count = sockets.length;
    this.#ints = new Int32Array((this.#count * POLLFD_BYTES) / 4);
    this.#shorts = new Int16Array(this.#ints.buffer);
    for (const [i, { fd, reads, writes }] of sockets.entries()) {
      this.#ints[i * 2] = fd;
      this.#shorts[i * 4 + 2] = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0);
    }
  }

  /** Blocks for at most `ms`, fractions included, and returns whether something is ready. */
  wait(ms: number): boolean {
    // struct timespec: seconds and nanoseconds, 64 bits each.
    this.#timeout[0] = Math.floor(ms / MS_PER_S);
    this.#timeout[2] = Math.max(0, Math.round((ms % MS_PER_S) * NS_PER_MS));
    return Number(ppoll(this.#ints, this.#count, this.#timeout, null)) > 0;
  }

  /** Has the socket at this place something to read, or has it ended or failed? */
  isReadable(place: number): boolean {
    return (this.#isSo(place) & ~POLLOUT) !== 0;
  }

  isWritable(place: number): boolean {
    return (this.#isSo(place) & POLLOUT) !== 0;
  }

  #isSo(place: number): number {
    return this.#shorts[place * 4 + 3] as number;
  }
}
