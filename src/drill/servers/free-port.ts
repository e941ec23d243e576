import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { systemRandom } from '../../base/random.ts';

/** Where to look. Systems give ports from 32768 on to whoever connects to something, so that on a busy machine one found
 *  there is soon gone. These are below, and so is the bus of a Cluster's node, which is 10000 further on. */
const FIRST_PORT = 10_000;
const PORTS = 10_000;
let first = FIRST_PORT;
let count = PORTS;

/** Look in one of so many equal parts only, which nobody looks in who runs beside: a server that is down for a while may find its
 *  port taken otherwise. Bounds: 0 <= part < parts. */
export function lookInPart(part: number, parts: number): void {
  count = Math.floor(PORTS / parts);
  first = FIRST_PORT + part * count;
}

/** A TCP port of 127.0.0.1 that nothing listens on now. Another program may take it before the caller does, so whoever
 *  starts a server on it checks that its own server answers.
 *  Errors: rejects when loopback cannot be listened on. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/** So many ports as `freePort` gives, no two of them the same. */
export async function freePorts(wanted: number): Promise<number[]> {
  const probes: Server[] = [];
  // All are open at once: one that was closed already could be found a second time.
  while (probes.length < wanted) {
    const probe = await listenSomewhere();
    if (probe !== undefined) probes.push(probe);
  }
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  for (const probe of probes) {
    probe.close();
    await once(probe, 'close');
  }
  return ports;
}

/** A server on any of the ports; undefined when that one is taken. */
async function listenSomewhere(): Promise<Server | undefined> {
  const probe = createServer();
  probe.listen(first + Math.floor(systemRandom() * count), '127.0.0.1');
  try {
    await once(probe, 'listening');
    return probe;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
