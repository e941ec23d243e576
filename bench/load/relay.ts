/** A simulated network hop: a TCP relay that holds all bytes for a constant time, in order. The kernels that this runs on
 *  often have no netem. */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import type { Histogram } from 'hdr-histogram-js';

import { newHistogram, recordMs } from '../report/percentiles.ts';
import { Alarm } from './alarm.ts';
import { DelayLine } from './delay-line.ts';

/** A running relay. Shape: `held` has one value for each chunk, how long it was really held, both directions. */
export interface HopRelay {
  readonly port: number;
  readonly held: Histogram;
  stop(): void;
}

/** No bytes = the end of the stream, which travels through the queue like any byte. */
interface Piece {
  readonly to: Socket;
  readonly bytes: Buffer | undefined;
}

/** An alarm rings about this much late. */
const wakeMs = 0.025;

/** The shortest sleep: what is due meanwhile waits for it, so that a flood of pieces costs no core. */
const leastSleepMs = 0.05;

/** Listens on a free loopback port and forwards to `serverPort`, holding bytes `delayMs` in each direction. */
export async function startHopRelay(serverPort: number, delayMs: number): Promise<HopRelay> {
  const held = newHistogram();
  const sockets = new Set<Socket>();
  const pump = new Pump(delayMs, held);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = createConnection({
      host: '127.0.0.1',
      port: serverPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes: Buffer) => pump.push({ to, bytes }));
      from.on('end', () => pump.push({ to, bytes: undefined }));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    held,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      pump.stop();
    },
  };
}

/** Both directions hold for the same time, so one line and one pump keep the order of everything. */
class Pump {
  readonly #line: DelayLine<Piece>;
  readonly #alarm = new Alarm(() => this.#run());
  #running = false;

  constructor(delayMs: number, held: Histogram) {
    this.#line = new DelayLine(delayMs, ({ to, bytes }, tookMs) => {
      recordMs(held, tookMs);
      if (bytes === undefined) to.end();
      else to.write(bytes);
    });
  }

  push(piece: Piece): void {
    this.#line.push(piece, performance.now());
    if (!this.#running) this.#run();
  }

  #run(): void {
    const wait = this.#line.pump(performance.now());
    this.#running = wait !== undefined;
    if (wait === undefined) return;
    if (wait < wakeMs) setImmediate(() => this.#run());
    else this.#alarm.set(Math.max(wait - wakeMs, leastSleepMs));
  }

  stop(): void {
    void this.#alarm.close();
  }
}
