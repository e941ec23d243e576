import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A TCP port of 127.0.0.1 that nothing listens on now. Another program may take it before the caller does, so whoever
 *  starts a server on it checks that its own server answers.
 *  Errors: rejects when loopback cannot be listened on. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/** So many ports as `freePort` gives, no two of them the same. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  // All are open at once: one that was closed already could be given a second time.
  for (const probe of probes) {
    probe.listen(0, '127.0.0.1');
    await once(probe, 'listening');
    ports.push((probe.address() as AddressInfo).port);
  }
  for (const probe of probes) {
    probe.close();
    await once(probe, 'close');
  }
  return ports;
}
