import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Connection } from '../../../src/shard/connection.ts';
import type { Credentials } from '../../../src/shard/credentials.ts';
import { type HandshakeResult, type HandshakeWishes, shakeHands } from '../../../src/shard/handshake.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';
import { helloReply } from '../../support/hello-reply.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type ScriptedConnection, ScriptedServer } from '../../support/scripted-server.ts';
import { until } from '../../support/sidecar.ts';

const NOBODY: Credentials = { user: undefined, password: undefined };
const UNKNOWN: HandshakeWishes = {
  clientName: 'nearcache',
  tracks: true,
  hasFieldTtl: undefined,
  asksReady: false,
};
const NO_SUCH_COMMAND = '*1\r\n_\r\n';
const KNOWN_COMMAND = '*1\r\n*2\r\n+hpexpire\r\n:6\r\n';

let server: ScriptedServer;
let connection: Connection;
let redis: ScriptedConnection;

beforeAll(async () => {
  server = await ScriptedServer.start();
});

afterAll(() => server.stop());

beforeEach(async () => {
  let isOpen = false;
  connection = new Connection(
    new ManualClock(),
    { opened: () => (isOpen = true), unasked: () => {}, lost: () => {}, drained: () => {} },
    new ShardStats(),
  );
  connection.connect(server.address, 1000);
  redis = await server.connection();
  await until('opened', () => isOpen);
});

afterEach(() => connection.destroy('the test is over'));

/** Shake hands with a server that says this. */
async function result(wishes: HandshakeWishes, ...replies: readonly string[]): Promise<HandshakeResult> {
  const done = new Promise<HandshakeResult>((resolve) => {
    shakeHands(connection, NOBODY, wishes, resolve);
  });
  redis.send(replies.join(''));
  return done;
}

describe('shakeHands', () => {
  it('asks for RESP3, for what the server can do, and for tracking, all at once', async () => {
    shakeHands(connection, { user: 'app', password: 'pw' }, UNKNOWN, () => {});
    expect(await redis.requests(3)).toEqual([
      'HELLO 3 AUTH app pw SETNAME nearcache',
      'COMMAND INFO HPEXPIRE',
      'CLIENT TRACKING ON',
    ]);
  });

  it('tries a write when wanted, and is done when Redis has answered it, whatever it says', async () => {
    const wishes = { ...UNKNOWN, hasFieldTtl: true, asksReady: true, write: ['SETRANGE', 'own', '0', ''] };
    const told = result(wishes, helloReply({}), '+OK\r\n', '-NOPERM no permission\r\n');
    expect((await redis.requests(4)).slice(2)).toEqual(['SETRANGE own 0 ', 'PING']);
    let isDone = false;
    void told.then(() => (isDone = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    redis.send('+PONG\r\n');
    expect(await told).toMatchObject({ server: { isTracking: true } });
  });

  it('does not ask for what it knows or does not want', async () => {
    shakeHands(
      connection,
      NOBODY,
      { clientName: 'nearcache', tracks: false, hasFieldTtl: true, asksReady: false },
      () => {},
    );
    shakeHands(
      connection,
      NOBODY,
      { clientName: 'nearcache', tracks: false, hasFieldTtl: true, asksReady: false },
      () => {},
    );
    expect(await redis.requests(2)).toEqual(['HELLO 3 SETNAME nearcache', 'HELLO 3 SETNAME nearcache']);
  });

  it('tells what the server is', async () => {
    const outcome = await result(UNKNOWN, helloReply({ id: 42 }), NO_SUCH_COMMAND, '+OK\r\n');
    expect(outcome).toMatchObject({
      server: { clientId: 42, isPrimary: true, hasOrderedPushes: true, isTracking: true, hasFieldTtl: false },
    });
    expect('server' in outcome && outcome.server.hello.get('version')).toBe('7.0.15');
  });

  it.each([
    ['6.2.14', false],
    ['7.0.0', true],
    ['7.2.4', true],
    ['10.0.0', true],
  ])('trusts the order of pushes of version %s: %s', async (version, hasOrderedPushes) => {
    const outcome = await result(UNKNOWN, helloReply({ version }), NO_SUCH_COMMAND, '+OK\r\n');
    expect(outcome).toMatchObject({ server: { hasOrderedPushes } });
  });

  it('knows a replica, and hash fields that expire', async () => {
    const outcome = await result(UNKNOWN, helloReply({ role: 'replica' }), KNOWN_COMMAND, '+OK\r\n');
    expect(outcome).toMatchObject({ server: { isPrimary: false, hasFieldTtl: true } });
  });

  it('assumes fields that expire where it may not ask, and goes on without tracking where that is refused', async () => {
    const outcome = await result(UNKNOWN, helloReply({}), '-NOPERM no\r\n', '-NOPERM no\r\n');
    expect(outcome).toMatchObject({ server: { hasFieldTtl: true, isTracking: false } });
  });

  it('keeps what another connection has learnt', async () => {
    const outcome = await result(
      { clientName: 'nearcache', tracks: true, hasFieldTtl: false, asksReady: false },
      helloReply({}),
      '+OK\r\n',
    );
    expect(outcome).toMatchObject({ server: { hasFieldTtl: false, isTracking: true } });
  });

  it('is refused with Redis’s own line', async () => {
    const line = '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
    const outcome = await result(UNKNOWN, line, NO_SUCH_COMMAND, '+OK\r\n');
    expect(outcome).toEqual({
      failure: { kind: 'refused', reason: line.slice(1, -2), refusal: Buffer.from(line) },
    });
  });

  it('is refused by a server that knows no RESP3', async () => {
    const outcome = await result(UNKNOWN, "-ERR unknown command 'HELLO'\r\n", '*1\r\n*-1\r\n', '-ERR\r\n');
    expect(outcome).toMatchObject({ failure: { kind: 'refused', reason: "ERR unknown command 'HELLO'" } });
  });

  it('fails once when the connection is lost in the middle', async () => {
    const outcomes: HandshakeResult[] = [];
    shakeHands(connection, NOBODY, UNKNOWN, (outcome) => outcomes.push(outcome));
    await redis.requests(3);
    redis.send(helloReply({}));
    redis.socket.end();
    await until('failed', () => outcomes.length > 0);
    expect(outcomes).toEqual([{ failure: { kind: 'lost', reason: 'Redis closed the connection' } }]);
  });
});
