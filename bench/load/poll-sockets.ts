/** The C library's calls for sockets that a loop of its own serves, without Node's event loop between: a relay that shares a core with the
 *  load would cost more than the load itself.
 *  Source: epoll(7), epoll_pwait2(2), recv(2), send(2), shutdown(2). */
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import koffi from 'koffi';

const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EPOLLOUT = 4;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
/** struct epoll_event: 32 bits of events, 64 that are ours; x86-64 alone packs it. */
const [EVENT_INTS, PLACE_AT] = process.arch === 'x64' ? [3, 1] : [4, 2];
const NS_PER_MS = 1e6;
const MS_PER_S = 1000;

const libc = koffi.load(null);
const epollCreate = libc.func('int epoll_create1(int flags)');
const epollControl = libc.func('int epoll_ctl(int epoll, int operation, int fd, void *event)');
const epollWait = libc.func('int epoll_pwait2(int epoll, void *events, int most, void *timeout, void *mask)');
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

/** A set of sockets to wait for. Shape: by place. Cost: of those that are ready alone, since a load that is answered one by one waits
 *  thousands of times a second for dozens of sockets. */
export class PollSet {
  #epoll = -1;
  #ready = new Uint32Array(0);
  readonly #timeout = new Uint32Array(4);

  /** Takes the place of the set before.
   *  Errors: throws where a socket is closed. */
  fill(sockets: readonly { readonly fd: number; readonly reads: boolean; readonly writes: boolean }[]): void {
    this.close();
    this.#epoll = Number(epollCreate(0));
    this.#ready = new Uint32Array(Math.max(1, sockets.length) * EVENT_INTS);
    const event = new Uint32Array(EVENT_INTS);
    for (const [place, { fd, reads, writes }] of sockets.entries()) {
      event[0] = (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0);
      event[PLACE_AT] = place;
      if (Number(epollControl(this.#epoll, EPOLL_CTL_ADD, fd, event)) !== 0)
        throw new Error(`socket ${fd} cannot be waited for (errno ${koffi.errno()})`);
    }
  }

  /** Blocks for at most `ms`, fractions included, and returns how many sockets are ready. */
  wait(ms: number): number {
    // struct timespec: seconds and nanoseconds, 64 bits each.
    this.#timeout[0] = Math.floor(ms / MS_PER_S);
    this.#timeout[2] = Math.max(0, Math.round((ms % MS_PER_S) * NS_PER_MS));
    const most = this.#ready.length / EVENT_INTS;
    return Math.max(0, Number(epollWait(this.#epoll, this.#ready, most, this.#timeout, null)));
  }

  /** The place of a socket that is ready. `i` counts from 0 to what `wait` returned. */
  placeOf(i: number): number {
    return this.#ready[i * EVENT_INTS + PLACE_AT] as number;
  }

  /** Has it something to read, or has it ended or failed? */
  isReadable(i: number): boolean {
    return (this.#eventsOf(i) & ~EPOLLOUT) !== 0;
  }

  isWritable(i: number): boolean {
    return (this.#eventsOf(i) & EPOLLOUT) !== 0;
  }

  close(): void {
    if (this.#epoll >= 0) closeSync(this.#epoll);
    this.#epoll = -1;
  }

  #eventsOf(i: number): number {
    return this.#ready[i * EVENT_INTS] as number;
  }
}
