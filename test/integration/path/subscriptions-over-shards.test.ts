// A session's subscriptions over several shards, by a route of the test: names that begin with a digit live at that shard,
// patterns at all of them.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { systemClock } from '../../../src/base/clock.ts';
import { commandByName } from '../../../src/command/table.ts';
import type { CommandSpec } from '../../../src/command/spec.ts';
import type { Session } from '../../../src/session/session.ts';
import { ReplyQueue } from '../../../src/session/reply-queue.ts';
import { Slot } from '../../../src/session/slot.ts';
import type { SubscriberRoute } from '../../../src/session/subscriber-route.ts';
import { Subscription } from '../../../src/session/subscription.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';
import { Subscriber } from '../../../src/shard/subscriber.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { requestOf } from '../../support/request-of.ts';
import { lonelyContext } from '../../support/session-context.ts';
import { until } from '../../support/sidecar.ts';

let servers: RedisServer[];
let direct: RawClient[];
let subscribers: Subscriber[];
let session: StubSession;
let subscription: Subscription;

/** As much of a session as its subscriptions need; what it would send is in `out`. */
class StubSession {
  writes = 0;
  readonly context = lonelyContext();
  readonly queue = new ReplyQueue();
  readonly shardName = 'shard0';
  proto: 2 | 3 = 3;
  outstanding = 0;
  out: string[] = [];
  closedWith = '';
  isClosed = false;

  mayUse(): boolean {
    return true;
  }
  slot(): Slot {
    const slot = new Slot(this);
    this.queue.push(slot);
    return slot;
  }
  push(chunk: Buffer, start: number, end: number): void {
    const bytes = chunk.latin1Slice(start, end);
    for (const frame of bytes.split(/(?=[>*]\d\r\n\$)/)) this.out.push(frame.replaceAll('\r\n', ' ').trim());
  }
  isNewest(): boolean {
    return false;
  }
  isHead(slot: Slot): boolean {
    return this.queue.head === slot;
  }
  emit(_slot: Slot, chunk: Buffer, start: number, end: number): void {
    this.push(chunk, start, end);
  }
  answered(slot: Slot): void {
    if (this.queue.head !== slot) return;
    for (let head = this.queue.head; head !== undefined; head = this.queue.head) {
      if (!head.isDone && head.ready === undefined) break;
      if (head.ready !== undefined) this.push(head.ready, 0, head.ready.length);
      this.queue.shift();
    }
  }
  settled(): void {
    this.outstanding--;
  }
  close(_reason: string, why: string): void {
    this.closedWith = why;
    subscription.release();
  }
  kept(): void {}
  countOwnError(): void {}
  timedOut(): void {}
  outOfStep(): void {}
  wake(): void {}
}

/** How far the ring has turned. */
let shift: number;

const route = {
  homes: (kind: string, name: string): readonly Subscriber[] =>
    kind === 'pattern' ? subscribers : [subscribers[(Number(name[0] ?? 0) + shift) % 3] as Subscriber],
  isApart: () => false,
  instead: () => undefined,
};

beforeEach(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  direct = await Promise.all(servers.map((server) => connectRaw(server)));
  subscribers = servers.map(
    (server, i) =>
      new Subscriber(
        {
          shardName: `shard${i}`,
          address: () => ({ host: '127.0.0.1', port: server.port, tls: undefined }),
          credentials: () => ({ user: undefined, password: undefined }),
          clientName: () => 'nearcache',
          connectTimeoutMs: 1000,
          commandTimeoutMs: 5000,
          linkDeadMs: 7000,
          idleMs: 30_000,
          inFlightMax: 1000,
        },
        { clock: systemClock, stats: new ShardStats(), obstacle: () => undefined },
      ),
  );
  session = new StubSession();
  shift = 0;
  subscription = new Subscription(session as unknown as Session, route as unknown as SubscriberRoute);
});

afterEach(async () => {
  for (const subscriber of subscribers) subscriber.close();
  for (const client of direct) client.close();
  await Promise.all(servers.map((server) => server.stop()));
});

function run(line: string): boolean {
  const request = requestOf(...line.split(' '));
  const spec = commandByName(line.split(' ')[0]?.toLowerCase() ?? '') as CommandSpec;
  return spec.isPublish ? subscription.runBeside(request, spec) : subscription.run(request, spec);
}

/** What has come since the last time, once there are so many frames. */
async function heard(count: number): Promise<string[]> {
  await until(`${count} frames`, () => session.out.length >= count);
  return session.out.splice(0);
}

async function publish(shard: number, channel: string, text: string): Promise<number> {
  return Number(String(await direct[shard]?.call('PUBLISH', channel, text)).slice(1));
}

const m = (channel: string, body: string): string =>
  `>3 $7 message $${channel.length} ${channel} $${body.length} ${body}`;

describe('a session over three shards', () => {
  test('is confirmed in the order of its commands, with its own counts, each channel at one shard', async () => {
    expect(run('SUBSCRIBE 2x 0x 1x 2x')).toBe(true);
    expect(run('SUBSCRIBE 0y')).toBe(true);
    expect(await heard(5)).toEqual([
      '>3 $9 subscribe $2 2x :1',
      '>3 $9 subscribe $2 0x :2',
      '>3 $9 subscribe $2 1x :3',
      '>3 $9 subscribe $2 2x :3',
      '>3 $9 subscribe $2 0y :4',
    ]);
    expect([await publish(0, '0x', 'a'), await publish(1, '0x', 'b'), await publish(1, '1x', 'c')]).toEqual([
      1, 0, 1,
    ]);
    expect((await heard(2)).toSorted()).toEqual([m('0x', 'a'), m('1x', 'c')].toSorted());
  });

  test('hears a pattern from all shards, each message once', async () => {
    run('PSUBSCRIBE *');
    expect(await heard(1)).toEqual(['>3 $10 psubscribe $1 * :1']);
    for (const shard of [0, 1, 2]) expect(await publish(shard, `${shard}x`, 'hi')).toBe(1);
    const frames = await heard(3);
    expect(new Set(frames.map((frame) => frame.split(' ')[6]))).toEqual(new Set(['0x', '1x', '2x']));
    expect(frames.length).toBe(3);
    run('PUNSUBSCRIBE');
    expect(await heard(1)).toEqual(['>3 $12 punsubscribe $1 * :0']);
    for (const shard of [0, 1, 2]) expect(await publish(shard, `${shard}x`, 'hi')).toBe(0);
  });

  test('leaves from everywhere with one UNSUBSCRIBE', async () => {
    run('SUBSCRIBE 0x 1x 2x');
    await heard(3);
    run('UNSUBSCRIBE');
    expect(await heard(3)).toEqual(['0x :2', '1x :1', '2x :0'].map((end) => `>3 $11 unsubscribe $2 ${end}`));
    for (const shard of [0, 1, 2]) expect(await publish(shard, `${shard}x`, 'hi')).toBe(0);
  });

  test('has subscribed to nothing when one shard refuses', async () => {
    await direct[1]?.call('ACL', 'SETUSER', 'default', 'resetchannels', '&1ok');
    run('SUBSCRIBE 0x 1x 2x');
    expect((await heard(1))[0]).toMatch(/^-NOPERM/);
    expect(subscription.count).toBe(0);
    await until(
      'nobody is left',
      async () => (await publish(0, '0x', '')) + (await publish(2, '2x', '')) === 0,
    );
    run('SUBSCRIBE 0x 1ok');
    expect((await heard(2)).at(-1)).toBe('>3 $9 subscribe $3 1ok :2');
  });

  test('hears of a shard that is away, and has subscribed to nothing', async () => {
    await servers[2]?.stop();
    run('SUBSCRIBE 0x 2x');
    expect((await heard(1))[0]).toMatch(/^-ERR nearcache: shard shard2 is unreachable/);
    await until('nobody is left', async () => (await publish(0, '0x', '')) === 0);
    expect([subscription.count, session.closedWith, session.outstanding]).toEqual([0, '', 0]);
  });

  test('is closed when one of the shards that it hears is lost, and leaves the others', async () => {
    run('PSUBSCRIBE *');
    await heard(1);
    await direct[1]?.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('it is closed', () => session.closedWith !== '');
    expect(session.closedWith).toMatch(/^its subscription connection was lost/);
    await until(
      'nobody is left',
      async () => (await publish(0, '0x', '')) + (await publish(2, '2x', '')) === 0,
    );
  });

  test('publishes where its channel lives, and hears the message before the reply', async () => {
    run('SUBSCRIBE 1x');
    await heard(1);
    run('PUBLISH 1x self');
    expect(await heard(2)).toEqual([m('1x', 'self'), ':1']);
  });

  test('publishes only once what it subscribes to is confirmed everywhere', async () => {
    run('SUBSCRIBE 0x 1x');
    expect(run('PUBLISH 0x early')).toBe(false);
    await heard(2);
    run('PUBLISH 0x late');
    expect(await heard(2)).toEqual([m('0x', 'late'), ':1']);
  });

  test('is misplaced once the ring gives what it hears to another shard, or may have', async () => {
    run('SUBSCRIBE 0x');
    run('PSUBSCRIBE *');
    await heard(2);
    expect(subscription.isMisplaced).toBe(false);
    shift = 1;
    expect(subscription.isMisplaced).toBe(true);
    shift = 0;
    run('SUBSCRIBE 1x');
    expect(subscription.isMisplaced).toBe(true);
    await heard(1);
    expect(subscription.isMisplaced).toBe(false);
  });

  test('adds only once what it removes is removed', async () => {
    run('SUBSCRIBE 0x');
    await heard(1);
    expect(run('UNSUBSCRIBE 0x')).toBe(true);
    expect(run('SUBSCRIBE 0x')).toBe(false);
    await heard(1);
    expect(run('SUBSCRIBE 0x')).toBe(true);
    expect(await heard(1)).toEqual(['>3 $9 subscribe $2 0x :1']);
  });
});
