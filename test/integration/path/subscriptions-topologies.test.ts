// Many sessions of two nearcaches that subscribe over several shards: each hears each message once, in the order of its channel.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { childFrames } from '../../support/frame-reader.ts';
import { textOfReply } from '../../support/over-ring.ts';
import { type Behind, topologies } from '../../support/topologies.ts';

const CHANNELS = Array.from({ length: 40 }, (_, i) => `channel${i}`);
/** Of each channel a publisher sends so many messages. */
const MESSAGES = 20;

/** One connection that subscribes. */
interface Session {
  readonly client: RawClient;
  readonly proto: 2 | 3;
  readonly channels: readonly string[];
  readonly patterns: readonly string[];
}

let open: RawClient[] = [];

afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

async function connect(port: number): Promise<RawClient> {
  const client = await connectRaw({ port });
  open.push(client);
  return client;
}

/** Subscribes one by one, as the channels of one SSUBSCRIBE have to share a slot in a Cluster. */
async function subscribe(port: number, i: number, word: string): Promise<Session> {
  const client = await connect(port);
  const proto = i % 2 === 0 ? 2 : 3;
  if (proto === 3) await client.call('HELLO', '3');
  const channels = CHANNELS.filter((_, at) => (at * 7 + i) % 5 < 2);
  const patterns = word === 'SUBSCRIBE' && i % 3 === 0 ? ['channel1*', `*${i % 10}`] : [];
  for (const channel of channels) client.request([word, channel]);
  for (const pattern of patterns) client.request(['PSUBSCRIBE', pattern]);
  const confirmations = await client.readFrames(channels.length + patterns.length);
  const wanted = [...channels, ...patterns].map((name, at) => `${name} ${at + 1}`);
  expect(confirmations.map((frame) => wordsOf(frame).slice(1).join(' '))).toEqual(wanted);
  return { client, proto, channels, patterns };
}

/** What the session is to hear of a channel, by the name that it has subscribed to. */
function namesOf(session: Session, channel: string): string[] {
  const matches = session.patterns.filter((pattern) =>
    pattern.startsWith('*') ? channel.endsWith(pattern.slice(1)) : channel.startsWith(pattern.slice(0, -1)),
  );
  return [...(session.channels.includes(channel) ? ['channel'] : []), ...matches];
}

/** Every publisher sends to all channels in turn. */
async function publish(ports: readonly number[], word: string): Promise<void> {
  await Promise.all(
    ports.map(async (port, who) => {
      const client = await connect(port);
      for (let i = 0; i < MESSAGES; i++) {
        for (const channel of CHANNELS) client.request([word, channel, `${who}:${i}`]);
      }
      for (const reply of await client.readFrames(MESSAGES * CHANNELS.length)) {
        expect(String(reply)).toMatch(/^:\d/);
      }
    }),
  );
}

/** Reads until all that was to come has come, then unsubscribes, so that whatever came twice stands before that. */
async function expectAll(session: Session, publishers: number, words: readonly string[]): Promise<void> {
  const { client, proto } = session;
  const streams = CHANNELS.flatMap((channel) =>
    namesOf(session, channel).flatMap((name) =>
      Array.from({ length: publishers }, (_, who) => `${name} ${channel} ${who}`),
    ),
  );
  const frames = await client.readFrames(streams.length * MESSAGES, 30_000);
  for (const word of words) client.request([word]);
  const ends = session.channels.length + (words.length > 1 ? Math.max(session.patterns.length, 1) : 0);
  for (const frame of await client.readFrames(ends)) {
    expect(String(frame).toLowerCase()).toContain('unsubscribe');
  }
  expect(client.rest().length).toBe(0);
  const heard = new Map<string, string[]>();
  for (const frame of frames) {
    expect(String(frame)[0]).toBe(proto === 3 ? '>' : '*');
    const parts = wordsOf(frame);
    const [channel, body = ''] = parts.slice(-2);
    const [who, message = ''] = body.split(':');
    const stream = `${parts.length === 4 ? parts[1] : 'channel'} ${channel} ${who}`;
    heard.set(stream, [...(heard.get(stream) ?? []), message]);
  }
  const all = Array.from({ length: MESSAGES }, (_, i) => String(i));
  expect(heard).toEqual(new Map(streams.map((stream) => [stream, all])));
}

function wordsOf(frame: Buffer): string[] {
  return childFrames(frame).map((child) =>
    String(child)
      .replace(/^(\$\d+\r\n|:)/, '')
      .trimEnd(),
  );
}

for (const topology of topologies.filter((each) => each.kind !== 'sentinel')) {
  describe(topology.name, () => {
    let behind: Behind;
    let nearcaches: readonly Nearcache[];

    beforeAll(async () => {
      behind = await topology.start();
      const { upstream } = behind;
      nearcaches = await Promise.all([startNearcache({ upstream }), startNearcache({ upstream })]);
    });

    afterAll(async () => {
      await Promise.all(nearcaches.map((nearcache) => nearcache.stop()));
      await behind.stop();
    });

    async function sessions(word: string): Promise<Session[]> {
      const all = Array.from({ length: 24 }, (_, i) =>
        subscribe((nearcaches[i % 4 < 2 ? 0 : 1] as Nearcache).port, i, word),
      );
      return Promise.all(all);
    }

    test('channels and patterns of many sessions get each message once and in order, wherever it is published', async () => {
      const all = await sessions('SUBSCRIBE');
      // A node of a Cluster tells the others by itself; what one shard of a ring is told stays there.
      const ports = [
        ...nearcaches.map(({ port }) => port),
        ...(topology.kind === 'cluster' ? behind.ports : []),
      ];
      await publish(ports, 'PUBLISH');
      await Promise.all(all.map((each) => expectAll(each, ports.length, ['UNSUBSCRIBE', 'PUNSUBSCRIBE'])));
    });

    test('shard channels of many sessions get each message once and in order', async () => {
      const all = await sessions('SSUBSCRIBE');
      await publish(
        nearcaches.map(({ port }) => port),
        'SPUBLISH',
      );
      await Promise.all(all.map((each) => expectAll(each, nearcaches.length, ['SUNSUBSCRIBE'])));
    });

    test('the shards have one subscriber to a channel for each nearcache, and none once all have left', async () => {
      const counts = async (): Promise<string[]> => {
        const asked = await connect((nearcaches[0] as Nearcache).port);
        return [
          await textOfReply(asked.call('PUBSUB', 'NUMSUB', 'channel0')),
          await textOfReply(asked.call('PUBSUB', 'SHARDNUMSUB', 'channel0')),
        ];
      };
      const all = await Promise.all([sessions('SUBSCRIBE'), sessions('SSUBSCRIBE')]);
      expect((await counts()).map((text) => /:(\d+)/.exec(text)?.[1])).toEqual(['2', '2']);
      for (const { client } of all.flat()) client.close();
      await expect
        .poll(async () => (await counts()).map((text) => /:(\d+)/.exec(text)?.[1]), { timeout: 10_000 })
        .toEqual(['0', '0']);
    });
  });
}
