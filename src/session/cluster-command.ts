import {
  bulkReply,
  EMPTY_ARRAY,
  encodeReply,
  errorReply,
  integerReply,
  OK,
  type ReplyValue,
} from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { SLOTS, slotOf } from '../route/hash-slot.ts';

/** The one node of the cluster that nearcache passes itself off as.
 *  Shape: `host` and `port` are what the app can reach it by; an empty host = the one that the app used already. `nodeId` is
 *  40 hex digits, which also serve as the id of its shard. */
export interface EmulatedNode {
  readonly host: string;
  readonly port: number;
  readonly nodeId: string;
}

/** Redis listens for its peers on a port so much higher. */
const BUS_PORT_OFFSET = 10_000;
const PORT_MAX = 65_535;

/** Answers as a Redis Cluster of one node that owns all slots, so that cluster-aware clients may be pointed at nearcache;
 *  undefined for what concerns the keys, for wrong numbers of arguments and for what changes a cluster.
 *  Shape: the bytes that Redis 7.0 sends. Source: `CLUSTER …` on a one-node cluster of redis-server 7.0.15. */
export function answerCluster(request: Request, self: EmulatedNode, proto: 2 | 3): Buffer | undefined {
  switch (request.argLatin1(0).toLowerCase()) {
    case 'cluster':
      return request.argc === 2
        ? answerAboutAll(request.argLatin1(1).toLowerCase(), self, proto)
        : answerAboutOne(request, self);
    case 'readonly':
    case 'readwrite':
    case 'asking':
      return request.argc === 1 ? OK : undefined;
    default:
      return undefined;
  }
}

function answerAboutAll(subcommand: string, self: EmulatedNode, proto: 2 | 3): Buffer | undefined {
  switch (subcommand) {
    case 'slots':
      return encodeReply(slots(self), proto);
    case 'shards':
      return encodeReply(shards(self), proto);
    case 'nodes':
      return encodeReply({ type: 'verbatim', text: nodes(self) }, proto);
    case 'info':
      return encodeReply({ type: 'verbatim', text: INFO }, proto);
    case 'myid':
    case 'myshardid':
      return bulkReply(self.nodeId);
    case 'links':
      return EMPTY_ARRAY;
    default:
      return undefined;
  }
}

function answerAboutOne(request: Request, self: EmulatedNode): Buffer | undefined {
  if (request.argc !== 3) return undefined;
  switch (request.argLatin1(1).toLowerCase()) {
    case 'keyslot':
      return integerReply(slotOf(request.buffer, request.argStart(2), request.argEnd(2)));
    case 'count-failure-reports':
      return ifSelf(request.argLatin1(2), self, integerReply(0));
    case 'replicas':
    case 'slaves':
      return ifSelf(request.argLatin1(2), self, EMPTY_ARRAY);
    default:
      return undefined;
  }
}

function ifSelf(nodeId: string, self: EmulatedNode, reply: Buffer): Buffer {
  return nodeId === self.nodeId ? reply : errorReply(`ERR Unknown node ${nodeId}`);
}

function slots({ host, port, nodeId }: EmulatedNode): ReplyValue {
  const metadata: ReplyValue = { type: 'map', entries: [] };
  const node: ReplyValue = { type: 'array', items: [bulk(host), integer(port), bulk(nodeId), metadata] };
  return { type: 'array', items: [{ type: 'array', items: [integer(0), integer(SLOTS - 1), node] }] };
}

function shards({ host, port, nodeId }: EmulatedNode): ReplyValue {
  const node = mapOf({
    id: bulk(nodeId),
    port: integer(port),
    ip: bulk(host),
    endpoint: bulk(host),
    role: bulk('master'),
    'replication-offset': integer(0),
    health: bulk('online'),
  });
  const ranges: ReplyValue = { type: 'array', items: [integer(0), integer(SLOTS - 1)] };
  return { type: 'array', items: [mapOf({ slots: ranges, nodes: { type: 'array', items: [node] } })] };
}

function nodes({ host, port, nodeId }: EmulatedNode): string {
  const busPort = port + BUS_PORT_OFFSET;
  const address = `${host}:${port}@${busPort > PORT_MAX ? 0 : busPort}`;
  return `${nodeId} ${address} myself,master - 0 0 0 connected 0-${SLOTS - 1}\n`;
}

const INFO: string = [
  'cluster_state:ok',
  `cluster_slots_assigned:${SLOTS}`,
  `cluster_slots_ok:${SLOTS}`,
  'cluster_slots_pfail:0',
  'cluster_slots_fail:0',
  'cluster_known_nodes:1',
  'cluster_size:1',
  'cluster_current_epoch:0',
  'cluster_my_epoch:0',
  'cluster_stats_messages_sent:0',
  'cluster_stats_messages_received:0',
  'total_cluster_links_buffer_limit_exceeded:0',
  '',
].join('\r\n');

function mapOf(fields: Readonly<Record<string, ReplyValue>>): ReplyValue {
  return { type: 'map', entries: Object.entries(fields).map(([name, value]) => [bulk(name), value]) };
}

function bulk(bytes: string): ReplyValue {
  return { type: 'bulk', bytes };
}

function integer(value: number): ReplyValue {
  return { type: 'integer', value };
}
