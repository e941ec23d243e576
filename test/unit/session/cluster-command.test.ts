import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { answerCluster, type EmulatedNode } from '../../../src/session/cluster-command.ts';
import { startClusterNode } from '../../support/one-node-cluster.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import type { RedisServer } from '../../support/redis-server.ts';
import { requestOf } from '../../support/request-of.ts';

const NODE: EmulatedNode = {
  host: '127.0.0.1',
  port: 6379,
  nodeId: '0123456789abcdef'.repeat(3).slice(0, 40),
};

// A node that no other has met does not know its own address, and says nothing for it.
describe.each([
  ['a node that announces its address', '127.0.0.1', ['--cluster-announce-ip', '127.0.0.1']],
  ['a node that does not know its address', '', []],
] as const)('beside %s of a real cluster', (_, host, args) => {
  let server: RedisServer;
  let self: EmulatedNode;

  beforeAll(async () => {
    server = await startClusterNode(args);
    const redis = await connectRaw(server);
    const nodeId = (await redis.call('CLUSTER', 'MYID')).toString('latin1', 5, 45);
    redis.close();
    self = { host, port: server.port, nodeId };
  });

  afterAll(async () => {
    await server.stop();
  });

  describe.each([2, 3] as const)('in RESP%i', (proto) => {
    let redis: RawClient;

    beforeAll(async () => {
      redis = await connectRaw(server);
      await redis.call('HELLO', String(proto));
    });

    afterAll(() => {
      redis.close();
    });

    test.each([
      ['CLUSTER', 'SLOTS'],
      ['cluster', 'slots'],
      ['CLUSTER', 'SHARDS'],
      ['CLUSTER', 'NODES'],
      ['CLUSTER', 'INFO'],
      ['CLUSTER', 'MYID'],
      ['CLUSTER', 'LINKS'],
      ['CLUSTER', 'KEYSLOT', ''],
      ['CLUSTER', 'KEYSLOT', '{user1}\xff\x00'],
      ['CLUSTER', 'COUNT-FAILURE-REPORTS', 'self'],
      ['CLUSTER', 'COUNT-FAILURE-REPORTS', 'no\r\nsuch'],
      ['CLUSTER', 'REPLICAS', 'self'],
      ['CLUSTER', 'REPLICAS', 'nosuch'],
      ['CLUSTER', 'SLAVES', 'self'],
      ['CLUSTER', 'SLAVES', ''],
      ['READONLY'],
      ['READWRITE'],
      ['ASKING'],
    ])('answers %s %s %s byte for byte as it does', async (...words) => {
      const request = words.map((word) => (word === 'self' ? self.nodeId : word));

      const theirs = await redis.call(...request);
      const ours = answerCluster(requestOf(...request), self, proto);

      expect(ours?.toString('latin1')).toBe(theirs.toString('latin1'));
    });
  });
});

test('its shard has an id of 40 hex digits, of which Redis 7.0 does not know yet', () => {
  const reply = answerCluster(requestOf('CLUSTER', 'MYSHARDID'), NODE, 2);
  expect(reply?.toString()).toBe(`$40\r\n${NODE.nodeId}\r\n`);
});

test('has no bus port where a port 10,000 higher is none', () => {
  const reply = answerCluster(requestOf('CLUSTER', 'NODES'), { ...NODE, port: 60_000 }, 2);
  expect(reply?.toString()).toContain(' 127.0.0.1:60000@0 myself,master ');
});

test.each([
  ['CLUSTER', 'COUNTKEYSINSLOT', '1'],
  ['CLUSTER', 'GETKEYSINSLOT', '1', '10'],
  ['CLUSTER', 'HELP'],
  ['CLUSTER', 'NOSUCH'],
  ['CLUSTER', 'FAILOVER'],
  ['CLUSTER', 'MEET', '127.0.0.1', '1'],
  ['CLUSTER', 'SETSLOT', '1', 'STABLE'],
  ['CLUSTER'],
  ['CLUSTER', 'INFO', 'x'],
  ['CLUSTER', 'KEYSLOT'],
  ['CLUSTER', 'KEYSLOT', 'a', 'b'],
  ['READONLY', 'x'],
  ['ASKING', 'x'],
  ['GET', 'cluster'],
])('leaves %s %s %s to Redis', (...words) => {
  expect(answerCluster(requestOf(...words), NODE, 3)).toBeUndefined();
});
