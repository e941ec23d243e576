// Read behind a write: a key in use that a write through nearcache changes is asked for again with the write itself.
import { afterEach, describe, expect, test } from 'vitest';

import { encodeRequest } from '../../../src/protocol/encoder.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { request, say, Sidecar, text, until } from '../../support/sidecar.ts';

const REREADS = 'nearcache_cache_rereads_total';
const MISSES = 'nearcache_cache_misses_total';

let sidecar: Sidecar;
let app: RawClient;

afterEach(() => sidecar.stop());

async function begin(flags = ''): Promise<void> {
  sidecar = await Sidecar.start({ flags: `--max-staleness 30s ${flags}`.trim() });
  app = await sidecar.app();
}

/** How much more of each there is after `run`: commands that Redis has run, and what nearcache counts. */
async function during(command: string, run: () => Promise<void>): Promise<Record<string, number>> {
  const count = async (): Promise<number[]> => [
    await sidecar.runs(command),
    await sidecar.metric(REREADS),
    await sidecar.metric(MISSES),
  ];
  const before = await count();
  await run();
  await sidecar.caughtUp();
  const [runs = 0, rereads = 0, misses = 0] = (await count()).map((now, i) => now - (before[i] as number));
  return { runs, rereads, misses };
}

describe('a write to a key whose entry was hit', () => {
  test.each([
    { write: ['SET', 'k', 'new'], read: ['GET', 'k'], first: ['SET', 'k', 'old'], reply: 'new' },
    { write: ['INCR', 'n'], read: ['GET', 'n'], first: ['SET', 'n', '1'], reply: '2' },
    { write: ['APPEND', 'k', 'er'], read: ['STRLEN', 'k'], first: ['SET', 'k', 'new'], reply: ':5' },
    { write: ['SADD', 's', 'a'], read: ['SMEMBERS', 's'], first: ['SADD', 's', 'a'], reply: '*1\r\n$1\r\na' },
    { write: ['PEXPIRE', 'k', '1'], read: ['EXISTS', 'k'], first: ['SET', 'k', '1'], reply: ':0' },
  ])('$write.0: $read.0 is asked with it, and hits', async ({ write, read, first, reply }) => {
    await begin();
    await say(sidecar.direct, ...first);
    await sidecar.warm(app, ...read);
    const writer = await sidecar.app();
    const counts = await during(read[0]?.toLowerCase() ?? '', async () => {
      await say(writer, ...write);
      await sidecar.caughtUp();
      // Redis itself may still show a key of a moment ago.
      if (write[0] !== 'PEXPIRE') expect(await say(app, ...read)).toBe(reply);
    });
    expect(counts).toEqual({ runs: 1, rereads: 1, misses: 0 });
  });

  test('from a session in another database asks nothing: it is another key', async () => {
    await begin();
    await say(sidecar.direct, 'SET', 'k', '1');
    await sidecar.warm(app, 'GET', 'k');
    const writer = await sidecar.app();
    await say(writer, 'SELECT', '1');
    const counts = await during('get', async () => {
      await say(writer, 'SET', 'k', '2');
    });
    expect(counts).toEqual({ runs: 0, rereads: 0, misses: 0 });
  });

  test('is followed at once: who asks meanwhile, the writer too, gets what was written, and nobody asks Redis', async () => {
    await begin();
    await say(sidecar.direct, 'SET', 'k', 'old');
    await sidecar.warm(app, 'GET', 'k');
    const writer = await sidecar.app();
    const counts = await during('get', async () => {
      const stop = sidecar.gate.stopAt('up', request('SET', 'k', 'new'));
      writer.send(Buffer.concat([encodeRequest(['SET', 'k', 'new']), encodeRequest(['GET', 'k'])]));
      await stop.reached;
      const answer = app.call('GET', 'k');
      await sidecar.settled();
      stop.release();
      expect(text(await answer)).toBe('new');
      expect((await writer.readFrames(2)).map(text)).toEqual(['+OK', 'new']);
    });
    expect(counts).toEqual({ runs: 1, rereads: 1, misses: 0 });
  });

  test('again and again, while reads come between: each write costs one read', async () => {
    await begin();
    await say(sidecar.direct, 'SET', 'k', '0');
    await sidecar.warm(app, 'GET', 'k');
    const counts = await during('get', async () => {
      for (let i = 1; i <= 20; i++) {
        await say(app, 'SET', 'k', `${i}`);
        expect(await say(app, 'GET', 'k')).toBe(`${i}`);
      }
    });
    expect(counts).toEqual({ runs: 20, rereads: 20, misses: 0 });
  });

  test('while a write of somebody else follows: that is not overlooked', async () => {
    await begin();
    await say(sidecar.direct, 'SET', 'k', '0');
    await sidecar.warm(app, 'GET', 'k');
    for (let i = 1; i <= 50; i++) {
      const written = say(app, 'SET', 'k', `own ${i}`);
      await say(sidecar.direct, 'SET', 'k', `other ${i}`);
      await written;
      // What is read now was not written before the last of both.
      const last = await say(sidecar.direct, 'GET', 'k');
      await sidecar.caughtUp();
      expect(await say(app, 'GET', 'k')).toBe(last);
      await say(app, 'GET', 'k');
    }
    expect(await sidecar.metric(REREADS)).toBeGreaterThan(0);
  });
});

describe('nothing is read again', () => {
  /** A write of `k`, which `read` was asked for before. */
  async function written(flags: string, read = ['GET', 'k'], write = ['SET', 'k', '2']): Promise<void> {
    await begin(flags);
    await say(sidecar.direct, 'SET', 'k', '1');
    await sidecar.warm(app, ...read);
    const counts = await during('get', async () => {
      await say(app, ...write);
    });
    expect(counts).toEqual({ runs: 0, rereads: 0, misses: 0 });
    expect(await say(app, 'GET', 'k')).toBe(text(await sidecar.direct.call('GET', 'k')));
  }

  test('of what nobody has asked for since it was read', async () => {
    await begin();
    await say(sidecar.direct, 'SET', 'k', '0');
    await sidecar.warm(app, 'GET', 'k');
    const counts = await during('get', async () => {
      for (let i = 1; i <= 20; i++) await say(app, 'SET', 'k', `${i}`);
    });
    // The first write meets an entry in use, the second one that nobody wanted.
    expect(counts).toEqual({ runs: 1, rereads: 1, misses: 0 });
  });

  test('with --cache-reread off', () => written('--cache-reread off'));

  test('under a policy that says so', () => written('--policy prefix=k;reread=off'));

  test('of a leased key: its nil is for one who asked', () => written('--policy prefix=k;leases=on'));

  test('of what was asked for with more than the key', () => written('', ['GETRANGE', 'k', '0', '5']));

  test('behind a deletion, a transaction, or a write of several keys', async () => {
    await written('', ['GET', 'k'], ['DEL', 'k']);
    await sidecar.stop();
    await written('', ['GET', 'k'], ['MSET', 'k', '2', 'other', '2']);
    await sidecar.warm(app, 'GET', 'k');
    const counts = await during('get', async () => {
      for (const command of [['MULTI'], ['SET', 'k', '3'], ['EXEC']]) await app.call(...command);
    });
    expect(counts).toEqual({ runs: 0, rereads: 0, misses: 0 });
  });

  test('over a slow link, as long as it is slow', async () => {
    sidecar = await Sidecar.start({ flags: '--max-staleness 1s' });
    app = await sidecar.app();
    const isReread = async (): Promise<boolean> => {
      await sidecar.warm(app, 'GET', 'k');
      const { rereads } = await during('get', async () => {
        await say(app, 'SET', 'k', '1');
      });
      return rereads === 1;
    };
    expect(await isReread()).toBe(true);
    sidecar.relay.delayMs = 40;
    await until('a heartbeat has taken long', async () => !(await isReread()));
    sidecar.relay.delayMs = 0;
    await until('one has not', isReread);
  });

  test('behind a write that Redis has no place for: it is refused, and the next read asks', async () => {
    await begin();
    await say(sidecar.direct, 'SET', 'k', '1');
    await sidecar.warm(app, 'GET', 'k');
    await say(sidecar.direct, 'CONFIG', 'SET', 'maxmemory', '1');
    expect(await say(app, 'SET', 'k', '2')).toMatch(/^-OOM /);
    expect(await say(app, 'GET', 'k')).toBe('1');
  });
});
