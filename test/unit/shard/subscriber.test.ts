import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type CallFailure, OwnCall } from '../../../src/shard/call.ts';
import { SUBSCRIBE_VERBS, type SubscribeVerb } from '../../../src/shard/pubsub-frame.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';
import { Subscriber, type SubscriberListener } from '../../../src/shard/subscriber.ts';
import { encodeRequest } from '../../../src/protocol/encoder.ts';
import { helloReply } from '../../support/hello-reply.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type ScriptedConnection, ScriptedServer } from '../../support/scripted-server.ts';
import { until } from '../../support/sidecar.ts';

let server: ScriptedServer;
let clock: ManualClock;
let stats: ShardStats;
let obstacle: CallFailure | undefined;
let subscriber: Subscriber;

beforeEach(async () => {
  server = await ScriptedServer.start();
  clock = new ManualClock();
  stats = new ShardStats();
  obstacle = undefined;
  subscriber = new Subscriber(
    {
      shardName: 'shard0',
      address: () => server.address,
      credentials: () => ({ user: 'app', password: 'pw' }),
      connectTimeoutMs: 1000,
      commandTimeoutMs: 5000,
      linkDeadMs: 7000,
      idleMs: 30_000,
      inFlightMax: 4,
    },
    { clock, stats, obstacle: () => obstacle },
  );
});

afterEach(async () => {
  subscriber.close();
  await server.stop();
});

/** One that writes down what it hears. */
class Ear implements SubscriberListener {
  readonly proto: 2 | 3;
  readonly heard: string[] = [];

  constructor(proto: 2 | 3 = 3) {
    this.proto = proto;
  }

  message(frame: Buffer, start: number, end: number): void {
    this.heard.push(frame.latin1Slice(start, end).replaceAll('\r\n', ' ').trim());
  }

  ended(name: string): void {
    this.heard.push(`ended ${name}`);
  }

  subscriberLost(reason: string): void {
    this.heard.push(`lost: ${reason}`);
  }

  /** Subscribes or unsubscribes and, as a session does, hears or leaves once that is confirmed. */
  ask(command: string): { outcome: string } {
    const [word = '', ...names] = command.split(' ');
    const verb = SUBSCRIBE_VERBS.get(word) as SubscribeVerb;
    const result = { outcome: '' };
    const done = (refusal: Buffer | undefined, failure: CallFailure | undefined): void => {
      result.outcome = failure?.kind ?? refusal?.toString() ?? 'confirmed';
      const isRefused = result.outcome !== 'confirmed';
      if (verb.adds && isRefused) subscriber.giveUp(this, verb.kind, names);
      else if (verb.adds) for (const name of names) subscriber.hear(this, verb.kind, name);
      else if (isRefused) subscriber.keep(this, verb.kind, names);
      else subscriber.leave(this, verb.kind, names);
    };
    const request = { word: Buffer.from(word), verb, names };
    if (verb.adds) subscriber.add(this, request, done);
    else subscriber.remove(this, request, done);
    return result;
  }
}

async function accept(): Promise<ScriptedConnection> {
  const redis = await server.connection();
  expect((await redis.request()).slice(0, 5)).toEqual(['HELLO', '3', 'AUTH', 'app', 'pw']);
  redis.send(helloReply({ id: 7 }));
  return redis;
}

function confirm(word: string, name: string, count = 1): string {
  return `>3\r\n$${word.length}\r\n${word}\r\n$${name.length}\r\n${name}\r\n:${count}\r\n`;
}

function message(channel: string, text: string): string {
  return `>3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$${text.length}\r\n${text}\r\n`;
}

/** Subscribes one after the other; the connection is open afterwards. */
async function subscribed(ears: readonly Ear[], name: string): Promise<ScriptedConnection> {
  const outcomes = ears.map((ear) => ear.ask(`subscribe ${name}`));
  const redis = await accept();
  for (const one of outcomes) {
    expect((await redis.request()).join(' ')).toBe(`subscribe ${name}`);
    redis.send(confirm('subscribe', name));
    await until('it is confirmed', () => one.outcome === 'confirmed');
  }
  return redis;
}

describe('a message', () => {
  it('goes to each listener once, in the protocol that it speaks', async () => {
    const [a, b] = [new Ear(3), new Ear(2)];
    const redis = await subscribed([a, b], 'x');
    redis.send(message('x', 'hi'));
    await until('both hear it', () => a.heard.length + b.heard.length === 2);
    expect([a.heard, b.heard]).toEqual([['>3 $7 message $1 x $2 hi'], ['*3 $7 message $1 x $2 hi']]);
    expect([stats.messagesIn, stats.messagesOut, stats.subscriptions]).toEqual([1, 2, 1]);
  });

  it('that comes in pieces goes out whole', async () => {
    const a = new Ear();
    const redis = await subscribed([a], 'x');
    const bytes = message('x', 'm'.repeat(200_000));
    redis.send(bytes.slice(0, 20));
    redis.send(bytes.slice(20));
    await until('it is heard', () => a.heard.length === 1);
    expect(a.heard[0]?.length).toBe(bytes.replaceAll('\r\n', ' ').trim().length);
  });

  it('before its confirmation is not for the one who has just asked', async () => {
    const [a, late] = [new Ear(), new Ear()];
    const redis = await subscribed([a], 'x');
    const asked = late.ask('subscribe x');
    redis.send(message('x', 'before') + confirm('subscribe', 'x') + message('x', 'after'));
    await until('all has come', () => a.heard.length === 2);
    expect([asked.outcome, late.heard]).toEqual(['confirmed', ['>3 $7 message $1 x $5 after']]);
  });
});

describe('an UNSUBSCRIBE', () => {
  it('of what others want names something else, and takes its place in the stream all the same', async () => {
    const [a, b] = [new Ear(), new Ear()];
    const redis = await subscribed([a, b], 'x');
    const asked = a.ask('unsubscribe x');
    const [word, name] = await redis.request();
    expect([word, name]).toEqual(['unsubscribe', expect.stringMatching(/^nearcache:[0-9a-f]{32}$/)]);
    redis.send(message('x', 'one') + confirm('unsubscribe', name as string) + message('x', 'two'));
    await until('all has come', () => b.heard.length === 2);
    expect([asked.outcome, a.heard]).toEqual(['confirmed', ['>3 $7 message $1 x $3 one']]);
  });

  it('of the last who wants it goes to Redis', async () => {
    const [a, b] = [new Ear(), new Ear()];
    const redis = await subscribed([a, b], 'x');
    a.ask('unsubscribe x');
    b.ask('unsubscribe x');
    await redis.request();
    expect(await redis.request()).toEqual(['unsubscribe', 'x']);
  });

  it('that is refused leaves everything as it was', async () => {
    const a = new Ear();
    const redis = await subscribed([a], 'x');
    const asked = a.ask('unsubscribe x');
    redis.send(`-NOPERM no\r\n${message('x', 'still')}`);
    await until('it is heard', () => a.heard.length === 1);
    expect([asked.outcome, subscriber.isUsed]).toEqual(['-NOPERM no\r\n', true]);
  });
});

describe('a SUBSCRIBE', () => {
  it('that is refused is the error of the one who asked, and harms nobody', async () => {
    const [a, b] = [new Ear(), new Ear()];
    const redis = await subscribed([a], 'x');
    const asked = b.ask('subscribe secret');
    redis.send(`-NOPERM no\r\n${message('x', 'hi')}`);
    await until('it is heard', () => a.heard.length === 1);
    expect([asked.outcome, b.heard, server.accepted]).toEqual(['-NOPERM no\r\n', [], 1]);
  });

  it('that is refused after another has left, who counted on it, unsubscribes', async () => {
    const [a, b] = [new Ear(), new Ear()];
    const redis = await subscribed([a], 'x');
    b.ask('subscribe x');
    a.ask('unsubscribe x');
    const [, instead] = (await redis.requests(2)).join(' ').split(' unsubscribe ');
    redis.send(`-NOPERM no\r\n${confirm('unsubscribe', instead as string)}`);
    expect(await redis.request()).toEqual(['unsubscribe', 'x']);
  });

  it('of one who leaves while it is on its way is taken back', async () => {
    const a = new Ear();
    const redis = await subscribed([new Ear()], 'x');
    a.ask('subscribe y');
    subscriber.leave(a, 'channel', ['y'], true);
    expect(await redis.requests(2)).toEqual(['subscribe y', 'unsubscribe y']);
    redis.send(confirm('subscribe', 'y') + message('y', 'nobody') + confirm('unsubscribe', 'y'));
    await until('it is over', () => stats.messagesIn === 1 && stats.subscriptions === 1);
    expect(a.heard).toEqual([]);
  });

  it('fails at once beyond the limit of what may be outstanding', () => {
    const ears = Array.from({ length: 5 }, () => new Ear());
    const outcomes = ears.map((ear) => ear.ask('subscribe x').outcome);
    expect(outcomes).toEqual(['', '', '', '', 'busy']);
  });

  it('is not tried while the shard is known to be away', () => {
    obstacle = { kind: 'unsent', reason: 'away' };
    expect([new Ear().ask('subscribe x').outcome, server.accepted]).toEqual(['unsent', 0]);
  });

  it('fails with the refusal of the handshake', async () => {
    const asked = new Ear().ask('subscribe x');
    const redis = await server.connection();
    await redis.request();
    redis.send('-WRONGPASS no\r\n');
    await until('it has failed', () => asked.outcome !== '');
    expect([asked.outcome, subscriber.isUsed]).toEqual(['refused', false]);
  });
});

describe('another command', () => {
  it('is answered behind the message that it caused', async () => {
    const a = new Ear();
    const redis = await subscribed([a], 'x');
    const replies: string[] = [];
    const publish = encodeRequest(['PUBLISH', 'x', 'hi']);
    subscriber.submit(
      new OwnCall((reply) => replies.push(`${String(reply)} after ${a.heard.length}`)),
      publish,
      0,
      publish.length,
    );
    expect(await redis.request()).toEqual(['PUBLISH', 'x', 'hi']);
    redis.send(`${message('x', 'hi')}:1\r\n`);
    await until('it is answered', () => replies.length === 1);
    expect(replies).toEqual([':1\r\n after 1']);
  });
});

describe('Redis itself', () => {
  it('ends a shard channel whose slot moves, for all who hear it', async () => {
    const [a, b] = [new Ear(), new Ear()];
    const asked = [a.ask('ssubscribe s'), b.ask('ssubscribe s t')];
    const redis = await accept();
    redis.send(confirm('ssubscribe', 's') + confirm('ssubscribe', 's') + confirm('ssubscribe', 't', 2));
    await until('both are confirmed', () => asked.every(({ outcome }) => outcome === 'confirmed'));
    const leaving = b.ask('sunsubscribe t');
    redis.send(confirm('sunsubscribe', 's') + confirm('sunsubscribe', 't', 0));
    await until('it is confirmed', () => leaving.outcome === 'confirmed');
    expect([a.heard, b.heard, subscriber.isUsed]).toEqual([['ended s'], ['ended s'], false]);
  });

  it('that closes the connection is told to all who heard something, and once to each', async () => {
    const [a, b, stranger] = [new Ear(), new Ear(), new Ear()];
    const redis = await subscribed([a, b], 'x');
    redis.reset();
    await until('both know', () => a.heard.length + b.heard.length === 2);
    expect([a.heard, b.heard, stranger.heard]).toEqual([
      [expect.stringMatching(/^lost: /)],
      [expect.stringMatching(/^lost: /)],
      [],
    ]);
    expect([stats.losses, stats.subscriberConnections, stats.subscriptions]).toEqual([1, 0, 0]);
  });

  it('that says nothing any more is given up', async () => {
    const a = new Ear();
    const redis = await subscribed([a], 'x');
    clock.advance(3600);
    subscriber.tick(clock.now());
    expect(await redis.request()).toEqual(['HELLO']);
    clock.advance(7100);
    subscriber.tick(clock.now());
    await until('it is told', () => a.heard.length === 1);
    expect(a.heard[0]).toBe('lost: no byte received for 7000 ms');
  });
});

describe('the connection', () => {
  it('is closed when nobody has wanted anything for a while, and opened again for the next', async () => {
    const a = new Ear();
    const redis = await subscribed([a], 'x');
    const left = a.ask('unsubscribe x');
    await redis.request();
    redis.send(confirm('unsubscribe', 'x', 0));
    await until('it has left', () => left.outcome === 'confirmed');
    subscriber.tick(clock.now());
    clock.advance(30_001);
    subscriber.tick(clock.now());
    await redis.ended();
    expect([stats.losses, stats.subscriberConnections]).toEqual([0, 0]);
    await subscribed([a], 'y');
    expect(server.accepted).toBe(2);
  });

  it('stays while someone is subscribed', async () => {
    const redis = await subscribed([new Ear()], 'x');
    for (let i = 0; i < 10; i++) {
      clock.advance(4000);
      subscriber.tick(clock.now());
      expect(await redis.request()).toEqual(['HELLO']);
      const before = stats.bytesIn;
      redis.send('%0\r\n');
      await until('it is answered', () => stats.bytesIn > before);
    }
    expect([redis.hasEnded, stats.subscriberConnections]).toEqual([false, 1]);
  });
});
