import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { residentBytes } from '../../bench/process-usage.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { STAY_BUSY } from '../support/busy-script.ts';
import { connectRaw, encodeRequest, type RawClient } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { until } from '../support/sidecar.ts';

/** Sessions that stop in the middle, ask for more than they read, or do what nobody does; most were found by fuzzing. */

const BIG_BYTES = 300_000;
/** Redis stands still for as long as a busy machine takes to fill all that there is between. */
const PATIENCE = ['--command-timeout', '40s', '--link-dead-timeout', '1m'];
let redis: RedisServer;
let nearcache: Nearcache;
const clients: RawClient[] = [];

beforeAll(async () => {
  redis = await startRedis();
  nearcache = await startNearcache({
    upstream: redis.port,
    flags: [
      ...PATIENCE,
      '--big-value-size',
      '256kb',
      '--slow-command-timeout',
      '500ms',
      '--max-output-size',
      '8mb',
    ],
  });
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

afterAll(async () => {
  await nearcache.kill();
  await redis.stop();
});

async function app(): Promise<RawClient> {
  const client = await connectRaw(nearcache);
  clients.push(client);
  return client;
}

async function direct(): Promise<RawClient> {
  const client = await connectRaw({ port: redis.port });
  clients.push(client);
  return client;
}

function pipeline(...requests: readonly (readonly string[])[]): Buffer {
  return Buffer.concat(requests.map((args) => encodeRequest(args)));
}

/** All that comes until nearcache closes. */
async function answersUntilClosed(client: RawClient): Promise<string> {
  await client.closed;
  return client.rest().toString('latin1');
}

const bigHead = `*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${BIG_BYTES}\r\n`;

describe('a big request that breaks off', () => {
  it('ends the session without a reply when the client closes inside it', async () => {
    const client = await app();
    client.send(bigHead + 'x'.repeat(100));
    client.socket.end();
    expect(await answersUntilClosed(client)).toBe('');
  });

  it('does not take the replies to earlier commands along', async () => {
    const client = await app();
    client.send(Buffer.concat([pipeline(['NOSUCH', '1'], ['NOSUCH', '2']), Buffer.from(bigHead)]));
    client.socket.end();
    expect(await answersUntilClosed(client)).toMatch(
      /^-ERR unknown command.*'1' \r\n-ERR unknown command.*'2' \r\n$/,
    );
  });

  it('gets nothing but Redis’s protocol error when a later length is wrong', async () => {
    const client = await app();
    client.send(`*4${bigHead.slice(2)}${'x'.repeat(BIG_BYTES)}\r\nEX\r\n`);
    expect(await answersUntilClosed(client)).toBe("-ERR Protocol error: expected '$', got 'E'\r\n");
  });

  it('gets the same inside a transaction', async () => {
    const client = await app();
    expect(String(await client.call('MULTI'))).toBe('+OK\r\n');
    client.send(`*4${bigHead.slice(2)}${'x'.repeat(BIG_BYTES)}\r\n$-5\r\n`);
    expect(await answersUntilClosed(client)).toBe('-ERR Protocol error: invalid bulk length\r\n');
  });
});

describe('a blocked session whose client goes', () => {
  for (const how of ['FIN', 'RST'] as const) {
    it(`ends at once on ${how}, although more commands wait behind it, and takes no element`, async () => {
      const client = await app();
      const observer = await direct();
      client.send(pipeline(['BLPOP', 'queue', '0'], ['SET', 'done', '1'], ['GET', 'done']));
      await until('BLPOP blocks', async () =>
        / cmd=blpop /.test(String(await observer.call('CLIENT', 'LIST'))),
      );
      if (how === 'FIN') client.socket.end();
      else client.socket.resetAndDestroy();
      await client.closed;
      await until(
        'BLPOP is over',
        async () => !/ cmd=blpop /.test(String(await observer.call('CLIENT', 'LIST'))),
      );
      await observer.call('RPUSH', 'queue', 'element');
      expect(String(await observer.call('LPOP', 'queue'))).toBe('$7\r\nelement\r\n');
      expect(String(await observer.call('EXISTS', 'done'))).toBe(':0\r\n');
    });
  }
});

describe('a session that asks for more than it reads', () => {
  it('gets all of it, and makes nearcache hold little, when hits wait behind a slow reply', async () => {
    const client = await app();
    await client.call('SET', 'hot', 'h'.repeat(20_000));
    for (let i = 0; i < 3; i++) await client.call('GET', 'hot');
    client.socket.pause();
    const count = 3000;
    client.send(
      Buffer.concat([pipeline(['DBSIZE']), ...Array<Buffer>(count).fill(pipeline(['GET', 'hot']))]),
    );
    const observer = await app();
    await until('it is held back', async () => {
      const list = String(await observer.call('CLIENT', 'LIST'));
      const [held] = [...list.matchAll(/ omem=(\d+) /g)]
        .map((match) => Number(match[1]))
        .toSorted((a, b) => b - a);
      expect(held).toBeLessThan(1_000_000);
      return (held as number) > 60_000;
    });
    client.socket.resume();
    const [, ...hits] = await client.readFrames(count + 1);
    expect(new Set(hits.map((hit) => hit.length))).toEqual(new Set([20_000 + '$20000\r\n\r\n'.length]));
  });

  it('is not read further while its replies wait behind a slow one', async () => {
    const client = await app();
    const echo = encodeRequest(['ECHO', 'e'.repeat(100_000)]);
    client.send(pipeline(['BLPOP', 'none', '0.3'], ['PING']));
    client.send(Buffer.concat(Array<Buffer>(300).fill(echo)));
    const replies = await client.readFrames(302);
    expect(String(replies[0])).toBe('*-1\r\n');
    expect(replies.at(-1)).toHaveLength(100_000 + '$100000\r\n\r\n'.length);
  });
});

describe('while Redis stands still', () => {
  const COUNT = 1000;
  const BYTES = 100_000;

  for (const [how, ...before] of [
    ['over the shared connection'],
    ['over a pinned connection', 'WATCH', 'k'],
  ]) {
    it(`a client that sends without end ${how} is made to wait, and loses nothing`, async () => {
      const client = await app();
      if (before.length > 0) await client.call(...before);
      const startBytes = residentBytes(nearcache.pid);
      await redis.kill('SIGSTOP');
      for (let i = 0; i < COUNT; i++) client.request(['SET', 'k', String(i).padEnd(BYTES, '.')]);
      const observer = await app();
      // Once nothing moves any more, the rest has stayed with the client.
      let waiting = 0;
      await until('it is made to wait', async () => {
        const isSame = client.socket.writableLength === waiting;
        waiting = client.socket.writableLength;
        for (let i = 0; i < 10; i++) await observer.call('PING');
        return isSame && waiting > 0;
      });
      expect(waiting).toBeGreaterThan((COUNT * BYTES) / 2);
      expect(residentBytes(nearcache.pid) - startBytes).toBeLessThan(60_000_000);
      await redis.kill('SIGCONT');
      const replies = await client.readFrames(COUNT);
      expect(new Set(replies.map(String))).toEqual(new Set(['+OK\r\n']));
      expect(String(await client.call('GETRANGE', 'k', '0', '2'))).toBe('$3\r\n999\r\n');
    });
  }
});

describe('a session in an unusual state', () => {
  it('goes on after a command that was given up, when the next one needs another link', async () => {
    const client = await app();
    // For longer than is waited for, and not until Redis calls itself busy.
    client.send(pipeline(['EVAL', STAY_BUSY, '0', '1000'], ['BLPOP', 'none', '0.01']));
    expect(String(await client.readFrame())).toMatch(/did not answer within 500 ms/);
    expect(String(await client.readFrame(40_000))).toBe('*-1\r\n');
  });

  it('is answered when MONITOR was refused and more came behind it', async () => {
    const client = await app();
    await client.call('ACL', 'SETUSER', 'nomonitor', 'on', 'nopass', '~*', '+@all', '-monitor');
    await client.call('AUTH', 'nomonitor', 'x');
    client.send(pipeline(['MONITOR'], ['GET', 'none'], ['PING']));
    const replies = (await client.readFrames(3)).map(String);
    expect(replies).toEqual([expect.stringMatching(/^-NOPERM/), '$-1\r\n', '+PONG\r\n']);
  });

  it('may send a big request while it monitors', async () => {
    const client = await app();
    expect(String(await client.call('MONITOR'))).toBe('+OK\r\n');
    client.request(['SET', 'big', 'x'.repeat(BIG_BYTES)]);
    let frame = '';
    while (!frame.startsWith('-')) frame = String(await client.readFrame());
    expect(frame).toBe("-ERR Replica can't interact with the keyspace\r\n");
    client.request(['RESET']);
    while (frame !== '+RESET\r\n') frame = String(await client.readFrame());
    expect(String(await client.call('PING'))).toBe('+PONG\r\n');
  });

  it('gets all that Redis still has to say to a monitor, and then the reply to RESET or QUIT', async () => {
    for (const last of ['RESET', 'QUIT']) {
      const client = await app();
      await client.call('MONITOR');
      client.send(pipeline(...Array.from({ length: 20 }, () => ['COMMAND']), ['SYNC'], [last]));
      const frames: string[] = [];
      while (frames.at(-1) !== (last === 'QUIT' ? '+OK\r\n' : '+RESET\r\n')) {
        frames.push((await client.readFrame()).toString('latin1'));
      }
      expect(frames.filter((frame) => frame.startsWith('*'))).toHaveLength(20);
      if (last === 'RESET') expect(String(await client.call('ECHO', 'end'))).toBe('$3\r\nend\r\n');
      else await client.closed;
    }
  });

  it('is out of a transaction that EXEC with arguments has discarded', async () => {
    const bytes = pipeline(['EXEC', 'x'], ['SUBSCRIBE', 'a', 'b'], ['GET', 'none'], ['PING']);
    const answers: string[][] = [];
    for (const client of [await app(), await direct()]) {
      await client.call('MULTI');
      client.send(bytes);
      answers.push((await client.readFrames(5)).map(String));
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]).toMatch(/^-EXECABORT/);
  });

  it('is not told of a RESET that CLIENT REPLY SKIP silences, as by Redis', async () => {
    const bytes = pipeline(['CLIENT', 'REPLY', 'SKIP'], ['RESET'], ['PING'], ['ECHO', 'end']);
    for (const client of [await app(), await direct()]) {
      client.send(bytes);
      expect((await client.readFrames(2)).map(String)).toEqual(['+PONG\r\n', '$3\r\nend\r\n']);
    }
  });

  it('never becomes a replication link, whatever state it is in', async () => {
    const client = await app();
    client.send(pipeline(['WATCH', 'k'], ['SYNC'], ['PSYNC', '?', '-1'], ['PING']));
    const replies = (await client.readFrames(4)).map(String);
    expect(replies[1]).toMatch(/'sync' is not supported through nearcache/);
    expect(replies[2]).toMatch(/'psync' is not supported through nearcache/);
    expect(replies[3]).toBe('+PONG\r\n');
  });

  it('subscribes in RESP3 on a connection whose state cannot be followed', async () => {
    const client = await app();
    await client.call('HELLO', '3');
    client.send(
      pipeline(['READONLY'], ['SUBSCRIBE', 'a', 'b'], ['GET', 'none'], ['CLIENT', 'REPLY', 'SKIP'], ['PING']),
    );
    client.send(pipeline(['ECHO', 'end']));
    const replies = (await client.readFrames(5)).map(String);
    expect(replies.slice(1)).toEqual([
      '>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n',
      '>3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n',
      '_\r\n',
      '$3\r\nend\r\n',
    ]);
  });

  it('may not take replies out of a transaction, which would leave EXEC’s reply with a hole', async () => {
    const client = await app();
    await client.call('MULTI');
    client.send(pipeline(['CLIENT', 'REPLY', 'OFF'], ['PING'], ['EXEC'], ['ECHO', 'end']));
    const replies = (await client.readFrames(4)).map(String);
    expect(replies[0]).toMatch(/^-ERR nearcache: 'client\|reply' is not supported/);
    const aborted = '-EXECABORT Transaction discarded because of previous errors.\r\n';
    expect(replies.slice(1)).toEqual(['+QUEUED\r\n', aborted, '$3\r\nend\r\n']);
  });

  it('leaves no line of its MONITOR to the session that gets the connection next', async () => {
    const noise = await direct();
    for (let round = 0; round < 30; round++) {
      const client = await app();
      await client.call('MONITOR');
      noise.send(Buffer.concat(Array<Buffer>(50).fill(pipeline(['PING']))));
      client.send(pipeline(['RESET'], ['NOSUCH', String(round)]));
      let frame = '';
      while (frame !== '+RESET\r\n') frame = String(await client.readFrame());
      expect(String(await client.readFrame())).toMatch(/^-ERR unknown command 'NOSUCH'/);
      client.close();
    }
  });
});
