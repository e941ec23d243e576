import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { encodeRequest } from '../../../src/protocol/encoder.ts';
import { type CallFailure, OwnCall } from '../../../src/shard/call.ts';
import { Connection, type ConnectionOwner } from '../../../src/shard/connection.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';
import { freePort } from '../../../src/drill/servers/free-port.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type ScriptedConnection, ScriptedServer } from '../../support/scripted-server.ts';
import { until } from '../../support/sidecar.ts';

let server: ScriptedServer;
let clock: ManualClock;
let connection: Connection;
let redis: ScriptedConnection;
/** What the owner heard. */
let events: string[];
let unasked: string;
/** Replies and failures, in the order in which calls were told. */
let answers: string[];

/** Tells this test only: a connection of the last one may end while the next one runs. */
function newOwner(): ConnectionOwner {
  const heard = events;
  return {
    opened: () => heard.push('opened'),
    unasked: (chunk, start, end, last) => {
      unasked += `${chunk.toString('latin1', start, end)}${last ? '|' : ''}`;
    },
    lost: (reason) => heard.push(`lost: ${reason}`),
    drained: () => heard.push('drained'),
  };
}

beforeAll(async () => {
  server = await ScriptedServer.start();
});

afterAll(() => server.stop());

beforeEach(async () => {
  events = [];
  unasked = '';
  answers = [];
  clock = new ManualClock();
  connection = new Connection(clock, newOwner(), new ShardStats());
  connection.connect(server.address, 1000);
  redis = await server.connection();
  await until('opened', () => events.includes('opened'));
});

afterEach(() => connection.destroy('the test is over'));

function told(name: string): (reply: Buffer | undefined, failure: CallFailure | undefined) => void {
  const heard = answers;
  return (reply, failure) => {
    heard.push(
      `${name}: ${reply === undefined ? `${failure?.kind}, ${failure?.reason}` : String(reply).trim()}`,
    );
  };
}

function ask(name: string, timeoutMs = 0): OwnCall {
  const call = new OwnCall(told(name), timeoutMs);
  const bytes = encodeRequest(['GET', name]);
  connection.send(call, bytes, 0, bytes.length);
  return call;
}

describe('replies', () => {
  it('go to the calls in the order in which those were sent', async () => {
    for (const name of ['a', 'b', 'c']) ask(name);
    expect(await redis.requests(3)).toEqual(['GET a', 'GET b', 'GET c']);
    redis.send('$1\r\n1\r\n*2\r\n:1\r\n:2\r\n-ERR no\r\n');
    await until('all answered', () => answers.length === 3);
    expect(answers).toEqual(['a: $1\r\n1', 'b: *2\r\n:1\r\n:2', 'c: -ERR no']);
    expect(connection.calls.length).toBe(0);
  });

  it('go to the same calls however the stream is cut, pushes among them', async () => {
    const replies = [
      '+OK\r\n',
      '$3\r\na\r\n\r\n',
      '_\r\n',
      '%1\r\n+k\r\n*2\r\n#t\r\n,1.5\r\n',
      ':7\r\n',
      '$0\r\n\r\n',
    ];
    const push = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n';
    const frames = fc.array(fc.constantFrom(push, ...replies), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        frames,
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 }),
        async (list, cuts) => {
          answers = [];
          unasked = '';
          const expected = list.filter((frame) => frame !== push);
          const pushes = list.length - expected.length;
          for (const [index] of expected.entries()) ask(String(index));
          await redis.requests(expected.length);
          const stream = Buffer.from(list.join(''), 'latin1');
          let at = 0;
          for (const size of [...cuts, stream.length]) {
            redis.send(stream.subarray(at, at + size));
            at += size;
            // Each piece is a packet of its own, so it is read by itself or with its neighbours.
            await new Promise((resolve) => setImmediate(resolve));
          }
          await until('all frames', () => answers.length === expected.length && count(unasked) === pushes);
          expect(answers).toEqual(expected.map((frame, index) => `${index}: ${frame.trim()}`));
          expect(unasked).toBe(`${push}|`.repeat(pushes));
        },
      ),
      { interruptAfterTimeLimit: 4000, numRuns: 60 },
    );
  });

  it('all go to the owner once it takes all', async () => {
    connection.takesAll = true;
    redis.send('+a line\r\n$1\r\nb\r\n>1\r\n+c\r\n');
    await until('all frames', () => count(unasked) === 3);
    expect(unasked).toBe('+a line\r\n|$1\r\nb\r\n|>1\r\n+c\r\n|');
  });
});

function count(text: string): number {
  return text.split('|').length - 1;
}

describe('a stream that cannot be right', () => {
  it('ends the connection when a reply comes that nobody asked for', async () => {
    redis.send('+OK\r\n');
    await until('lost', () => events.length === 2);
    expect(events[1]).toBe('lost: a reply that nobody asked for');
    await redis.ended();
  });

  it('ends it after the replies that were asked for', async () => {
    ask('a');
    await redis.request();
    redis.send('+1\r\n+2\r\n');
    await until('lost', () => events.length === 2);
    expect(answers).toEqual(['a: +1']);
  });

  it('ends it when it is not RESP, and fails what is outstanding', async () => {
    ask('a');
    ask('b');
    await redis.requests(2);
    redis.send('HTTP/1.1 400 Bad Request\r\n');
    await until('lost', () => events.length === 2);
    expect(answers).toHaveLength(2);
    expect(answers[0]).toMatch(/^a: lost, protocol error from Redis/);
    expect(events[1]).toMatch(/^lost: protocol error from Redis/);
  });
});

describe('a call that is given up', () => {
  it('keeps its place, so that later replies find their calls', async () => {
    ask('slow', 100);
    ask('patient', 1000);
    await redis.requests(2);
    clock.advance(99);
    connection.expireCalls(clock.now());
    expect(answers).toEqual([]);
    clock.advance(1);
    connection.expireCalls(clock.now());
    connection.expireCalls(clock.now());
    expect(answers).toEqual(['slow: timeout, no reply within 100 ms']);
    redis.send('+for slow\r\n+for patient\r\n');
    await until('answered', () => answers.length === 2);
    expect(answers[1]).toBe('patient: +for patient');
  });

  it('is not one without a time-out, nor one whose reply has begun', async () => {
    ask('blocking');
    const begun = ask('begun', 100);
    begun.hasBegun = true;
    await redis.requests(2);
    clock.advance(100_000);
    connection.expireCalls(clock.now());
    expect(answers).toEqual([]);
  });
});

describe('the end of a connection', () => {
  it('fails what is outstanding as lost, in order, before the owner hears of it', async () => {
    ask('a');
    ask('b');
    await redis.requests(2);
    redis.reset();
    await until('lost', () => events.length === 2);
    expect(answers).toEqual(['a: lost, read ECONNRESET', 'b: lost, read ECONNRESET']);
    expect(events).toEqual(['opened', 'lost: read ECONNRESET']);
  });

  it('says so when Redis closes in order', async () => {
    redis.socket.end();
    await until('lost', () => events.length === 2);
    expect(events[1]).toBe('lost: Redis closed the connection');
  });

  it('is told once, however often it is destroyed', async () => {
    connection.destroy('first');
    connection.destroy('second');
    await until('lost', () => events.length === 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(['opened', 'lost: first']);
  });
});

describe('connecting', () => {
  it('fails calls as unsent when nothing listens', async () => {
    const refused = new Connection(clock, newOwner(), new ShardStats());
    const bytes = encodeRequest(['PING']);
    refused.connect({ host: '127.0.0.1', port: await freePort(), tls: undefined }, 1000);
    refused.send(new OwnCall(told('early')), bytes, 0, bytes.length);
    await until('lost', () => events.length === 2);
    expect(events[1]).toBe('lost: connect ECONNREFUSED');
    expect(answers).toEqual(['early: unsent, connect ECONNREFUSED']);
  });

  it('is given up after its time-out', async () => {
    const slow = new Connection(clock, newOwner(), new ShardStats());
    // Reserved for documentation: nobody answers there.
    slow.connect({ host: '192.0.2.1', port: 6379, tls: undefined }, 500);
    clock.advance(500);
    await until('lost', () => events.length === 2);
    expect(events[1]).toMatch(/^lost: (no connection within 500 ms|connect E)/);
  });

  it('sends what was written before the socket was open', async () => {
    const early = new Connection(clock, newOwner(), new ShardStats());
    early.connect(server.address, 1000);
    const bytes = encodeRequest(['PING']);
    early.send(new OwnCall(told('early')), bytes, 0, bytes.length);
    const other = await server.connection();
    expect(await other.request()).toEqual(['PING']);
    early.destroy('done');
  });
});

describe('isSilent', () => {
  it('is true only when something is expected and no byte has come for so long', async () => {
    clock.advance(1000);
    expect(connection.isSilent(clock.now(), 500)).toBe(false);
    ask('a');
    clock.advance(500);
    expect(connection.isSilent(clock.now(), 500)).toBe(false);
    clock.advance(1);
    expect(connection.isSilent(clock.now(), 500)).toBe(true);
    await redis.request();
    redis.send('$10\r\nabc');
    await until('a byte', () => connection.lastByteAt === clock.now());
    expect(connection.isSilent(clock.now(), 500)).toBe(false);
  });

  it('waits as long as the oldest call may take', () => {
    ask('slow', 60_000);
    clock.advance(50_000);
    expect(connection.isSilent(clock.now(), 500)).toBe(false);
    clock.advance(10_001);
    expect(connection.isSilent(clock.now(), 500)).toBe(true);
  });
});
