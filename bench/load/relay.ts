/** A simulated network hop: a TCP relay that holds all bytes for a constant time, in order. The kernels that this runs on
 *  often have no netem. */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import type { Histogram } from 'hdr-histogram-js';

import { newHistogram, recordMs } from '../report/percentiles.ts';
import { DelayLine } from './delay-line.ts';
import { descriptorOf, endOf, PollSet, receive, sendSome } from './poll-sockets.ts';
import { sharpenSleep } from './sharpen-sleep.ts';

/** A running relay. Shape: `held` has one value for each chunk, how long it was really held, both directions. */
export interface HopRelay {
  readonly port: number;
  readonly held: Histogram;
  stop(): void;
}

/** The shortest sleep: what is due meanwhile waits for it, so that a flood of pieces costs no core. */
const LEAST_SLEEP_MS = 0.05;
/** With so many pieces on their way the relay is no longer woken by each that comes; it looks for them, as a network card's driver polls
 *  when interrupts would come thick. Waking a program of another core takes some 12 µs of a virtual machine, and whoever sends
 *  would pay it: nearcache and Redis, which a network does not charge.
 *  Source: NAPI (Documentation/networking/napi.rst of Linux). */
const MANY_PIECES = 2;
const LOOK_EVERY_MS = 0.1;
/** Nobody changes it, so that waiting for a change is sleeping, fractions of a millisecond included. */
const pillow = new Int32Array(new SharedArrayBuffer(4));
/** For so long the event loop, which accepts connections, waits while the relay serves those that there are. */
const SLICE_MS = 5;
const READ_BYTES = 64 * 1024;

/** Listens on a free loopback port and forwards to `serverPort`, holding bytes `delayMs` in each direction. */
export async function startHopRelay(serverPort: number, delayMs: number): Promise<HopRelay> {
  sharpenSleep();
  const held = newHistogram();
  const pump = new Pump(delayMs, held);
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    const upstream = createConnection({
      host: '127.0.0.1',
      port: serverPort,
      allowHalfOpen: true,
      noDelay: true,
    }).pause();
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
    upstream.once('connect', () => pump.join(client, upstream));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    held,
    stop() {
      server.close();
      pump.stop();
    },
  };
}

/** One of the two sockets of a connection through the relay. */
class End {
  readonly socket: Socket;
  readonly fd: number;
  /** Where its bytes go. */
  other!: End;
  /** It may send more. */
  reads = true;
  isOver = false;
  /** All that was sent to it has left. */
  #isEnded = false;
  /** What the kernel did not take yet; undefined = the end of the stream. */
  readonly #waiting: (Buffer | undefined)[] = [];
  /** What is waited for is not what it was. */
  readonly #changed: () => void;

  constructor(socket: Socket, changed: () => void) {
    this.socket = socket;
    this.fd = descriptorOf(socket);
    this.#changed = changed;
    socket.once('close', () => this.#over());
  }

  get writes(): boolean {
    return this.#waiting.length > 0;
  }

  put(bytes: Buffer | undefined): void {
    this.#waiting.push(bytes);
    this.#send();
    if (this.writes) this.#changed();
  }

  /** The kernel takes bytes again. */
  goOn(): void {
    this.#send();
    if (!this.writes) this.#changed();
  }

  /** It sends no more. */
  ended(): void {
    this.reads = false;
    this.#changed();
  }

  break(): void {
    for (const end of [this, this.other]) {
      end.#over();
      end.socket.destroy();
    }
  }

  #send(): void {
    for (let bytes = this.#waiting[0]; this.writes; bytes = this.#waiting[0]) {
      if (bytes === undefined) return this.#end();
      const taken = sendSome(this.fd, bytes);
      if (taken === 'broken') return this.break();
      if (taken < bytes.length) {
        this.#waiting[0] = bytes.subarray(taken);
        return;
      }
      this.#waiting.shift();
    }
  }

  #end(): void {
    this.#waiting.shift();
    endOf(this.fd);
    this.#isEnded = true;
    if (this.other.#isEnded) this.break();
  }

  #over(): void {
    this.isOver = true;
    this.#changed();
  }
}

/** No bytes = the end of the stream, which travels through the queue like any byte. */
interface Piece {
  readonly to: End;
  readonly bytes: Buffer | undefined;
  /** How long it had been there, on average, when it was found. */
  readonly unseenMs: number;
}

/** Both directions hold for the same time, so one line keeps the order of everything. */
class Pump {
  readonly #line: DelayLine<Piece>;
  readonly #polled = new PollSet();
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #ends: End[] = [];
  #isRunning = false;
  #isChanged = false;
  /** How long it has just slept, whatever came; 0 where the first to come has woken it. */
  #sleptMs = 0;

  constructor(delayMs: number, held: Histogram) {
    this.#line = new DelayLine(delayMs, ({ to, bytes, unseenMs }, tookMs) => {
      recordMs(held, unseenMs + tookMs);
      if (!to.isOver) to.put(bytes);
    });
  }

  join(client: Socket, upstream: Socket): void {
    const changed = (): void => {
      this.#isChanged = true;
    };
    const [one, other] = [new End(client, changed), new End(upstream, changed)];
    [one.other, other.other] = [other, one];
    this.#ends.push(one, other);
    changed();
    if (!this.#isRunning) setImmediate(() => this.#run());
    this.#isRunning = true;
  }

  stop(): void {
    for (const end of this.#ends) end.break();
  }

  #run(): void {
    const until = performance.now() + SLICE_MS;
    for (let now = performance.now(); now < until && this.#ends.length > 0; now = performance.now()) {
      const due = this.#line.pump(now) ?? SLICE_MS;
      if (this.#isChanged) this.#pollAnew();
      this.#serve(this.#wait(Math.min(Math.max(due, LEAST_SLEEP_MS), until - now)));
    }
    this.#isRunning = this.#ends.length > 0;
    if (this.#isRunning) setImmediate(() => this.#run());
    else this.#polled.close();
  }

  #wait(ms: number): number {
    this.#sleptMs = 0;
    if (this.#line.length < MANY_PIECES) return this.#polled.wait(ms);
    const from = performance.now();
    Atomics.wait(pillow, 0, 0, Math.min(ms, LOOK_EVERY_MS));
    this.#sleptMs = performance.now() - from;
    return this.#polled.wait(0);
  }

  #pollAnew(): void {
    this.#isChanged = false;
    this.#ends = this.#ends.filter(({ isOver }) => !isOver);
    this.#polled.fill(this.#ends);
  }

  #serve(ready: number): void {
    for (let i = 0; i < ready; i++) {
      const end = this.#ends[this.#polled.placeOf(i)] as End;
      if (end.isOver) continue;
      if (this.#polled.isWritable(i)) end.goOn();
      if (end.reads && this.#polled.isReadable(i)) this.#read(end);
    }
  }

  #read(end: End): void {
    const length = receive(end.fd, this.#buffer);
    if (length === 'nothing') return;
    if (length === 'broken') return end.break();
    if (length === 0) end.ended();
    const bytes = length === 0 ? undefined : Buffer.from(this.#buffer.subarray(0, length));
    this.#line.push({ to: end.other, bytes, unseenMs: this.#sleptMs / 2 }, performance.now());
  }
}
