import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { helloReply } from '../../support/hello-reply.ts';
import { HANDSHAKE_REQUESTS, SharedStage } from '../../support/shared-stage.ts';
import { until } from '../../support/sidecar.ts';

/** SharedConnection: who it is to Redis, what Redis is to it, and time. */

const WRONG = '-WRONGPASS invalid username-password pair or user is disabled.\r\n';

let stage: SharedStage;

beforeEach(async () => {
  stage = await SharedStage.set();
});

afterEach(() => stage.strike());

/** Refuse the next handshake. */
async function refuse(line: string): Promise<void> {
  const redis = await stage.server.connection();
  await redis.requests(HANDSHAKE_REQUESTS);
  redis.send(`${line}-NOAUTH\r\n-NOAUTH\r\n`);
  await redis.ended();
}

describe('refused credentials', () => {
  it('are told as what they are, with Redis’s words, and tried again later', async () => {
    stage.ask('early');
    await refuse(WRONG);
    await until('answered', () => stage.answers.length === 1);
    expect(stage.answers[0]).toBe(`early: refused, ${WRONG.slice(1, -2)}`);
    expect(stage.shared.problem.refusal?.toString()).toBe(WRONG);
    expect(stage.shared.state).toBe('down');
    stage.clock.advance(50);
    await stage.greet();
    expect(stage.shared.isReady).toBe(true);
  });

  it('are read anew for each try', async () => {
    let password = 'old';
    stage.credentials = () => ({ user: 'app', password });
    stage.shared.start();
    const first = await stage.server.connection();
    expect(await first.request()).toEqual(['HELLO', '3', 'AUTH', 'app', 'old', 'SETNAME', 'nearcache']);
    first.send(`${WRONG}-NOAUTH\r\n-NOAUTH\r\n`);
    await first.ended();
    password = 'new';
    await until('down', () => stage.shared.state === 'down');
    stage.clock.advance(50);
    const second = await stage.server.connection();
    expect(await second.request()).toEqual(['HELLO', '3', 'AUTH', 'app', 'new', 'SETNAME', 'nearcache']);
  });

  it('that cannot be read are a failed try with the reason', async () => {
    stage.credentials = () => {
      throw new Error('cannot read the file');
    };
    stage.ask('a');
    await until('answered', () => stage.answers.length === 1);
    expect(stage.answers).toEqual(['a: unsent, cannot read the file']);
  });
});

describe('the server’s role', () => {
  it('decides whether the link feeds a cache: a replica does not', async () => {
    stage.shared.start();
    await stage.greet({ role: 'replica' });
    expect(stage.shared.generation.isTracking).toBe(false);
  });

  it('is asked again and again; another one ends the link', async () => {
    stage.shared.start();
    const redis = await stage.greet();
    stage.clock.advance(250);
    stage.shared.tick(stage.clock.now());
    expect(await redis.request()).toEqual(['HELLO']);
    redis.send(helloReply({}));
    await until('fresh', () => stage.shared.generation.freshAt === stage.clock.now());
    stage.clock.advance(250);
    stage.shared.tick(stage.clock.now());
    await redis.request();
    redis.send(helloReply({ role: 'replica' }));
    await until('lost', () => stage.events.length === 2);
    expect(stage.events[1]).toBe('lost: its role has changed');
  });

  it('does not feed a cache before Redis 7.0, whose invalidations may come inside replies', async () => {
    stage.shared.start();
    await stage.greet({ version: '6.2.14' });
    expect(stage.shared.generation.isTracking).toBe(false);
  });
});

describe('time', () => {
  it('runs out for a handshake that is not answered', async () => {
    stage.ask('a');
    const redis = await stage.server.connection();
    await redis.requests(3);
    stage.clock.advance(1000);
    await until('answered', () => stage.answers.length === 1);
    expect(stage.answers).toEqual(['a: unsent, no answer to the handshake within 1000 ms']);
  });

  it('does not extend freshness while no heartbeat is answered, and asks four times at most', async () => {
    stage.shared.start();
    const redis = await stage.greet();
    const { freshAt } = stage.shared.generation;
    for (let i = 0; i < 7; i++) {
      stage.clock.advance(250);
      stage.shared.tick(stage.clock.now());
    }
    stage.ask('behind');
    expect(await redis.requests(5)).toEqual(['HELLO', 'HELLO', 'HELLO', 'HELLO', 'GET behind']);
    expect(stage.shared.generation.freshAt).toBe(freshAt);
  });

  it('extends freshness to when the heartbeat that is answered was sent, though others were sent since', async () => {
    stage.shared.start();
    const redis = await stage.greet();
    const sentAt: number[] = [];
    for (let i = 0; i < 3; i++) {
      stage.clock.advance(250);
      sentAt.push(stage.clock.now());
      stage.shared.tick(stage.clock.now());
    }
    await redis.requests(3);
    for (const at of sentAt) {
      const { freshAt } = stage.shared.generation;
      redis.send(helloReply({}));
      await until('answered', () => stage.shared.generation.freshAt !== freshAt);
      expect(stage.shared.generation.freshAt).toBe(at);
    }
  });
});
