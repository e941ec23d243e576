import { SLOTS } from './hash-slot.ts';
import { isUnknown } from './redirect.ts';

/** Slots first to last, both included. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
}

/** A node as one node of the cluster sees it. */
export interface ClusterNode {
  /** 40 hex digits, for as long as the node lives, wherever it listens. */
  readonly id: string;
  /** Its IP address; empty when it has none that is known (`noaddr`). */
  readonly host: string;
  /** 0 when it has none that is known. */
  readonly port: number;
  /** What it announces beside its address; empty = nothing. */
  readonly hostname: string;
  /** A node that is neither is one that is not known well yet. */
  readonly role: 'primary' | 'replica' | 'unknown';
  /** Of a replica; empty otherwise. */
  readonly primaryId: string;
  /** `suspected` = this node alone cannot reach it (`fail?`), `failed` = most of them cannot (`fail`). */
  readonly health: 'online' | 'suspected' | 'failed';
  /** The handshake with it is not over: its id is not its own yet. */
  readonly isHandshake: boolean;
  /** Which of two claims to a slot is the newer: the higher. A replica has its primary's. */
  readonly configEpoch: number;
  /** The cluster bus between this node and that one. */
  readonly isConnected: boolean;
  readonly slots: readonly SlotRange[];
}

/** The cluster as one node sees it. */
export interface ClusterView {
  /** The node that was asked, one of `nodes`. */
  readonly self: ClusterNode;
  readonly nodes: readonly ClusterNode[];
  /** Slots that it is giving away or taking over; a node knows only its own. */
  readonly movingSlots: readonly number[];
}

/** The text is not what CLUSTER NODES replies. */
export class ClusterNodesError extends Error {
  override readonly name: string = 'ClusterNodesError';
}

/** A thousand nodes with all slots scattered over them take less than 1 MiB. */
const TEXT_MAX_CHARS = 4 * 1024 * 1024;
const WORDS_MIN = 8;
/** What a text that goes into a message may take of it. */
const QUOTED_MAX = 80;

/** Reads what CLUSTER NODES replies, of Redis 3 to 8 and Valkey: older ones have no bus port and no host name, newer ones
 *  may have further `,name=value` behind them.
 *  Shape: one node a line: `id ip:port@busport,hostname flags primary ping pong epoch link slot …`. `askedHost` is how the
 *  node that replied was reached: its address where it does not know its own.
 *  Bounds: 4 MiB. Errors: throws ClusterNodesError, with the line. Cost: O(text). */
export function parseClusterNodes(text: string, askedHost: string): ClusterView {
  if (text.length > TEXT_MAX_CHARS) {
    throw new ClusterNodesError(`${text.length} chars, more than the ${TEXT_MAX_CHARS} that are read`);
  }
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  let self: ClusterNode | undefined;
  let movingSlots: readonly number[] = [];
  const nodes = lines.map((line) => {
    const words = line.split(' ');
    const node = readNode(words, line, askedHost);
    if (!hasFlag(words, 'myself')) return node;
    if (self !== undefined) throw new ClusterNodesError(`two lines say myself, the second: ${quoted(line)}`);
    self = node;
    movingSlots = words.slice(WORDS_MIN).flatMap((word) => movingSlot(word, line));
    return node;
  });
  if (self === undefined) throw new ClusterNodesError(`no line says myself: ${quoted(text)}`);
  return { self, nodes, movingSlots };
}

function readNode(words: readonly string[], line: string, askedHost: string): ClusterNode {
  if (words.length < WORDS_MIN) throw new ClusterNodesError(`too few words: ${quoted(line)}`);
  const [id, address, flags, primary, , , epoch, link] = words as [
    string,
    string,
    string,
    string,
    ...string[],
  ];
  if (!/^[0-9a-f]{40}$/.test(id)) throw new ClusterNodesError(`no node id: ${quoted(line)}`);
  if (!/^\d{1,20}$/.test(epoch as string)) throw new ClusterNodesError(`no config epoch: ${quoted(line)}`);
  const has = new Set(flags.split(','));
  return {
    id,
    ...readAddress(address, has.has('noaddr') ? '' : askedHost, line),
    role: has.has('master') ? 'primary' : has.has('slave') ? 'replica' : 'unknown',
    primaryId: primary === '-' ? '' : primary,
    health: has.has('fail') ? 'failed' : has.has('fail?') ? 'suspected' : 'online',
    isHandshake: has.has('handshake'),
    configEpoch: Number(epoch),
    isConnected: link === 'connected',
    slots: words.slice(WORDS_MIN).flatMap((word) => slotRange(word, line)),
  };
}

function hasFlag(words: readonly string[], flag: string): boolean {
  return (words[2] as string).split(',').includes(flag);
}

function readAddress(
  word: string,
  unknownHost: string,
  line: string,
): Pick<ClusterNode, 'host' | 'port' | 'hostname'> {
  const [endpoint, ...rest] = word.split(',') as [string, ...string[]];
  // The greedy host takes all colons but the last: an IPv6 address has several, and no brackets.
  const match = /^(.*):(\d{1,5})(?:@\d{1,5})?$/.exec(endpoint);
  const [, host, port] = (match ?? []) as (string | undefined)[];
  if (host === undefined || Number(port) > 65_535) throw new ClusterNodesError(`no address: ${quoted(line)}`);
  const hostname = rest.find((part) => !part.includes('=')) ?? '';
  return {
    host: isUnknown(host) ? unknownHost : host,
    port: Number(port),
    hostname: isUnknown(hostname) ? '' : hostname,
  };
}

function slotRange(word: string, line: string): SlotRange[] {
  if (word === '' || word.startsWith('[')) return [];
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(word);
  if (match === null) throw new ClusterNodesError(`no slots: ${quoted(word)} in ${quoted(line)}`);
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  if (first > last || last >= SLOTS) {
    throw new ClusterNodesError(`no slots: ${quoted(word)} in ${quoted(line)}`);
  }
  return [{ first, last }];
}

/** `[93->-id]` is on its way to that node, `[93-<-id]` from it. */
function movingSlot(word: string, line: string): number[] {
  if (!word.startsWith('[')) return [];
  const match = /^\[(\d{1,5})-[<>]-[0-9a-f]{40}\]$/.exec(word);
  const slot = Number(match?.[1]);
  if (match === null || slot >= SLOTS) {
    throw new ClusterNodesError(`no moving slot: ${quoted(word)} in ${quoted(line)}`);
  }
  return [slot];
}

function quoted(text: string): string {
  return JSON.stringify(text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text);
}
