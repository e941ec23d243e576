import { encodeRequest } from '../../support/raw-client.ts';
import { BadClient } from '../bad-client.ts';
import { excerpt, type FuzzTarget, type Strategy, Violation } from '../strategy.ts';
import type { Random } from '../random.ts';

const MARK_EVERY = 50;

/** Sends without ever waiting for a reply, and reads what comes: each reply must be the one to its request. */
export const endlessPipelines: Strategy = {
  name: 'endless pipelines',
  workers: 1,
  async round(target, random) {
    const client = await BadClient.connect(target.port);
    const count = random.int(500, 20_000);
    const size = random.pick([5, 100, 100, 2000, 30_000]);
    const sending = sendAll(client, target, random, { count, size });
    let got = 0;
    for (; got < count; got++) {
      const frame = await client.raw.readFrame(20_000);
      if (got % MARK_EVERY !== 0) continue;
      const mark = `${got}`;
      if (frame.toString('latin1') === `$${mark.length}\r\n${mark}\r\n`) continue;
      throw new Violation(`reply ${got} of a pipeline is ${excerpt(frame)}`);
    }
    await sending;
    const { bytes } = await client.finish(Buffer.alloc(0));
    if (bytes.length > 0) throw new Violation(`more replies than requests: ${excerpt(bytes)}`);
    return `all answered`;
  },
};

/** Bounds: about 20 MB. */
async function sendAll(
  client: BadClient,
  target: FuzzTarget,
  random: Random,
  { count, size }: { count: number; size: number },
): Promise<void> {
  const value = 'v'.repeat(size);
  let batch: Buffer[] = [];
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const request =
      i % MARK_EVERY === 0 ? ['ECHO', `${i}`] : requestOf(random, bytes > 20_000_000 ? '' : value);
    const encoded = encodeRequest(request);
    batch.push(encoded);
    bytes += encoded.length;
    if (i % 500 !== 499 && i !== count - 1) continue;
    if (!(await client.write(Buffer.concat(batch))))
      throw new Violation(`closed in request ${i} of a pipeline`);
    batch = [];
    await target.throttle.rest();
  }
}

function requestOf(random: Random, value: string): string[] {
  const key = `fuzz:pipe:${random.int(0, 20)}`;
  return random.pick([
    ['GET', key],
    ['SET', key, value],
    ['INCR', 'fuzz:pipe:count'],
    ['PING'],
    ['DEL', key],
    ['NOSUCH', key],
    ['MGET', key, 'missing:1'],
    ['SELECT', '0'],
    ['EXISTS', key],
  ]);
}
