import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { encodeRequest } from '../../../src/protocol/encoder.ts';
import { OwnCall } from '../../../src/shard/call.ts';
import { ANY_DB } from '../../../src/shard/shared-connection.ts';
import { requestOf } from '../../support/request-of.ts';
import type { ScriptedConnection } from '../../support/scripted-server.ts';
import { IN_FLIGHT_MAX, SharedStage } from '../../support/shared-stage.ts';
import { until } from '../../support/sidecar.ts';

let stage: SharedStage;

beforeEach(async () => {
  stage = await SharedStage.set();
});

afterEach(() => stage.strike());

describe('commands', () => {
  it('are held while the first connection is made, and then sent in order', async () => {
    stage.ask('a');
    stage.ask('b');
    expect(stage.shared.state).toBe('connecting');
    expect(stage.shared.inFlight).toBe(2);
    const redis = await stage.greet();
    expect(await redis.requests(2)).toEqual(['GET a', 'GET b']);
    redis.send('+1\r\n+2\r\n');
    await until('answered', () => stage.answers.length === 2);
    expect(stage.answers).toEqual(['a: +1', 'b: +2']);
  });

  it('are refused beyond the limit, held or sent', async () => {
    for (let i = 0; i <= IN_FLIGHT_MAX; i++) stage.ask(`held${i}`);
    expect(stage.answers).toEqual([`held${IN_FLIGHT_MAX}: busy, ${IN_FLIGHT_MAX}`]);
    const redis = await stage.greet();
    await redis.requests(IN_FLIGHT_MAX);
    stage.ask('sent');
    expect(stage.answers[1]).toBe(`sent: busy, ${IN_FLIGHT_MAX}`);
  });

  it('get a SELECT in front when the database changes, and only then', async () => {
    stage.shared.start();
    const redis = await stage.greet();
    stage.ask('a');
    stage.ask('b', 3);
    stage.ask('c', 3);
    stage.ask('any', ANY_DB);
    stage.ask('d');
    const sent = ['GET a', 'SELECT 3', 'GET b', 'GET c', 'GET any', 'SELECT 0', 'GET d'];
    expect(await redis.requests(7)).toEqual(sent);
    redis.send('+1\r\n+OK\r\n+2\r\n+3\r\n+4\r\n+OK\r\n+5\r\n');
    await until('answered', () => stage.answers.length === 5);
    expect(stage.answers).toEqual(['a: +1', 'b: +2', 'c: +3', 'any: +4', 'd: +5']);
  });

  it('are not answered from the wrong database: a refused SELECT ends the connection', async () => {
    stage.shared.start();
    const redis = await stage.greet();
    stage.ask('a', 99);
    await redis.requests(2);
    redis.send('-ERR DB index is out of range\r\n+from the wrong database\r\n');
    await until('answered', () => stage.answers.length === 1);
    expect(stage.answers[0]).toMatch(/^a: lost, SELECT 99 was refused/);
    await redis.ended();
  });

  it('start in database 0 on a new connection', async () => {
    stage.shared.start();
    const first = await stage.greet();
    stage.ask('a', 3);
    await first.requests(2);
    first.send('+OK\r\n+1\r\n');
    await until('answered', () => stage.answers.length === 1);
    first.reset();
    const second = await stage.greet();
    stage.ask('b', 3);
    expect(await second.requests(2)).toEqual(['SELECT 3', 'GET b']);
  });

  it('travel with the PTTL of their key in one packet', async () => {
    stage.shared.start();
    const redis = await stage.greet();
    const heard: string[] = [];
    const note = (reply: Buffer | undefined): void => void heard.push(String(reply));
    const head = Buffer.from('*2\r\n$4\r\nPTTL\r\n');
    stage.shared.submitWithTtl(new OwnCall(note), new OwnCall(note), head, requestOf('GET', 'key'), 0);
    expect(await redis.requests(2)).toEqual(['PTTL key', 'GET key']);
    redis.send(':-1\r\n+v\r\n');
    await until('answered', () => heard.length === 2);
    expect(heard).toEqual([':-1\r\n', '+v\r\n']);
  });

  it('that form a block are not held, but failed at once, when there is no link', () => {
    const bytes = Buffer.concat([encodeRequest(['MULTI']), encodeRequest(['EXEC'])]);
    const heard: unknown[] = [];
    const calls = [0, 1].map(() => new OwnCall((_reply, failure) => heard.push(failure?.kind)));
    stage.shared.submitBlock(calls, bytes, 0, bytes.length, 0);
    expect(heard).toEqual(['unsent', 'unsent']);
  });
});

describe('room', () => {
  const big = encodeRequest(['SET', 'k', Buffer.alloc(4_000_000)]);
  const submitBig = (): void => stage.shared.submit(new OwnCall(() => {}), big, 0, big.length, 0);

  it('ends when Redis does not take what it is sent, and comes back when it does', async () => {
    stage.shared.start();
    const redis = await stage.greet();
    redis.socket.pause();
    let wakes = 0;
    const waiter = { wake: () => wakes++ };
    let sent = 0;
    await until('there is no room', () => {
      if (!stage.shared.hasRoomFor(waiter)) return true;
      submitBig();
      sent++;
      return false;
    });
    expect(stage.shared.hasRoomFor(waiter)).toBe(false);
    expect(wakes).toBe(0);
    redis.socket.resume();
    await until('woken', () => wakes > 0);
    expect(wakes).toBe(1);
    expect(stage.shared.hasRoomFor(waiter)).toBe(true);
    expect(await redis.requests(sent)).toHaveLength(sent);
  }, 60_000);

  it('is little while the first connection is made', async () => {
    let wakes = 0;
    const waiter = { wake: () => wakes++ };
    for (let i = 0; i < 2; i++) submitBig();
    expect(stage.shared.hasRoomFor(waiter)).toBe(false);
    const redis = await stage.greet();
    expect(wakes).toBe(1);
    expect(await redis.requests(2)).toHaveLength(2);
  });

  it('is there again when the connection is lost, so that whoever waits hears of it', async () => {
    let wakes = 0;
    for (let i = 0; i < 2; i++) submitBig();
    expect(stage.shared.hasRoomFor({ wake: () => wakes++ })).toBe(false);
    const redis = await stage.server.connection();
    redis.reset();
    await until('woken', () => wakes > 0);
    expect(stage.shared.hasRoomFor({ wake: () => {} })).toBe(true);
  });
});

describe('a lost connection', () => {
  it('fails what was sent, never sends it again, and holds what comes while it connects at once', async () => {
    stage.shared.start();
    const first = await stage.greet();
    stage.ask('sent');
    await first.request();
    first.reset();
    await until('lost', () => stage.answers.length === 1);
    expect(stage.answers[0]).toBe('sent: lost, read ECONNRESET');
    stage.ask('held');
    const second = await stage.greet();
    expect(await second.request()).toEqual(['GET', 'held']);
    second.send('+v\r\n');
    await until('answered', () => stage.answers.length === 2);
    expect(stage.answers[1]).toBe('held: +v');
    expect(stage.events).toEqual(['ready', 'lost: read ECONNRESET', 'ready']);
  });

  it('ends its generation; the next has a number of its own', async () => {
    stage.shared.start();
    const redis = await stage.greet();
    const before = stage.shared.generation;
    expect(before).toMatchObject({ isAlive: true, isTracking: true });
    redis.reset();
    await until('lost', () => stage.events.length === 2);
    expect(before.isAlive).toBe(false);
    await stage.greet();
    expect(stage.shared.generation).not.toBe(before);
  });

  it('that cannot be made again fails commands at once, until a retry after a back-off succeeds', async () => {
    stage.shared.start();
    const first = await stage.greet();
    await refuseNext(first);
    await until('down', () => stage.shared.state === 'down');
    stage.ask('down');
    expect(stage.answers).toEqual(['down: unsent, Redis closed the connection']);
    expect(stage.clock.waiting.nextMs).toBeLessThanOrEqual(50);
    stage.clock.advance(50);
    await stage.greet();
    stage.ask('up');
    expect(stage.shared.isReady).toBe(true);
  });

  /** Lose this connection, and end the next one before it has shaken hands. */
  async function refuseNext(current: ScriptedConnection): Promise<void> {
    current.reset();
    const next = await stage.server.connection();
    next.socket.end();
    await next.ended();
  }
});

it('passes invalidations on, whole or in pieces, between replies', async () => {
  stage.shared.start();
  const redis = await stage.greet();
  stage.ask('a');
  await redis.request();
  redis.send('>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n+1\r\n>2\r\n$10\r\ninval');
  await until('answered', () => stage.answers.length === 1);
  redis.send('idate\r\n_\r\n');
  await until('both', () => stage.events.length === 3);
  expect(stage.events.slice(1)).toEqual(['invalidated: k', 'invalidated: all']);
});

it('stays closed once it is closed', async () => {
  stage.shared.start();
  const redis = await stage.greet();
  stage.shared.close();
  await redis.ended();
  stage.ask('a');
  expect(stage.answers).toHaveLength(1);
  stage.clock.advance(60_000);
  expect(stage.shared.state).toBe('closed');
  expect(stage.server.accepted).toBe(1);
});
