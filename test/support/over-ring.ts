import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { type Argument, connectRaw, encodeRequest, type RawClient } from './raw-client.ts';
import { type Ring, startRing } from './ring-servers.ts';

type Lines = readonly (readonly Argument[])[];

/** A reply's bytes as latin1. */
export async function textOfReply(reply: Promise<Buffer>): Promise<string> {
  return (await reply).toString('latin1');
}

/** Sends all in one write and reads a reply for each. */
export async function inOneWrite(client: RawClient, lines: Lines): Promise<string[]> {
  client.send(Buffer.concat(lines.map(encodeRequest)));
  return (await client.readFrames(lines.length)).map((frame) => frame.toString('latin1'));
}

/** Sends one after the other, each behind the reply to the one before. */
export async function oneByOne(client: RawClient, lines: Lines): Promise<string[]> {
  const replies: string[] = [];
  for (const line of lines) replies.push(await textOfReply(client.call(...line)));
  return replies;
}

/** Sends one command on a connection of its own. */
export async function askAt(server: { port: number }, ...args: readonly string[]): Promise<string> {
  const client = await connectRaw(server);
  const reply = await textOfReply(client.call(...args));
  client.close();
  return reply;
}

/** A key of each of three shards, in their order, found through what is in front of them. */
export async function keyOfEach(of: { port: number }, { shards }: Ring): Promise<[string, string, string]> {
  const client = await connectRaw(of);
  const found: (string | undefined)[] = shards.map(() => undefined);
  for (let i = 0; found.includes(undefined); i++) {
    await client.call('SET', `k${i}`, 'v');
    const at = await Promise.all(shards.map(({ server }) => askAt(server, 'EXISTS', `k${i}`)));
    found[at.indexOf(':1\r\n')] ??= `k${i}`;
  }
  client.close();
  return found as [string, string, string];
}

/** A ring of three and a nearcache before it, for all tests of a file; each begins with no data, and its clients end with it. */
export interface RingStage {
  readonly ring: Ring;
  readonly nearcache: Nearcache;
  /** A key of each shard, the first of which is the home shard. */
  readonly keys: [string, string, string];
  connect(): Promise<RawClient>;
}

/** Call at the top of a test file; what it returns is there once the first test runs. */
export function useRing(): RingStage {
  const open: RawClient[] = [];
  const connect = async (): Promise<RawClient> => {
    const client = await connectRaw(stage.nearcache);
    open.push(client);
    return client;
  };
  const stage = { connect } as { -readonly [K in keyof RingStage]: RingStage[K] };
  beforeAll(async () => {
    stage.ring = await startRing(3);
    stage.nearcache = await startNearcache({ upstream: stage.ring.upstream });
    stage.keys = await keyOfEach(stage.nearcache, stage.ring);
  });
  afterAll(async () => {
    await stage.nearcache.stop();
    await stage.ring.stop();
  });
  beforeEach(async () => {
    await textOfReply((await connect()).call('FLUSHALL'));
  });
  afterEach(() => {
    for (const client of open.splice(0)) client.close();
  });
  return stage;
}
