import { BadClient } from '../bad-client.ts';
import { excerpt, type Strategy, Violation } from '../strategy.ts';

/** Many connections at once, each over in a moment. */
export const shortConnections: Strategy = {
  name: 'short connections',
  workers: 1,
  async round(target, random) {
    const count = random.int(5, 30);
    const way = random.pick(['nothing', 'ping', 'ping, reset', 'quit', 'fin first'] as const);
    await Promise.all(Array.from({ length: count }, () => once(target.port, way)));
    return `${way}: 5 to 30 at a time`;
  },
};

async function once(
  port: number,
  way: 'nothing' | 'ping' | 'ping, reset' | 'quit' | 'fin first',
): Promise<void> {
  const client = await BadClient.connect(port);
  if (way === 'nothing') return client.close();
  const sent = Buffer.from(way === 'quit' ? 'PING\r\nQUIT\r\n' : 'PING\r\n');
  client.raw.send(sent);
  if (way === 'ping, reset') return client.reset();
  if (way === 'ping') {
    await client.raw.readFrame();
    return client.close();
  }
  const { bytes, isClean } = way === 'quit' ? await client.end(sent) : await client.finish(sent);
  const expected = way === 'quit' ? '+PONG\r\n+OK\r\n' : '+PONG\r\n';
  if (bytes.toString('latin1') === expected && isClean) return;
  throw new Violation(`answered ${excerpt(bytes)}, ${isClean ? 'then closed' : 'then reset'}`, sent);
}
