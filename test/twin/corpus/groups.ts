import { acl } from './acl.ts';
import { big } from './big.ts';
import { bits } from './bits.ts';
import { client } from './client.ts';
import { connection } from './connection.ts';
import { geo } from './geo.ts';
import { hashes } from './hash.ts';
import { keys } from './keys.ts';
import { keyspace } from './keyspace.ts';
import { lists } from './list.ts';
import { pipelines } from './pipelines.ts';
import { protocol } from './protocol.ts';
import { pubsub } from './pubsub.ts';
import { scripting } from './scripting.ts';
import { server } from './server.ts';
import { sets } from './set.ts';
import { streams } from './stream.ts';
import { strings } from './string.ts';
import { transactions } from './transaction.ts';
import { sortedSets } from './zset.ts';
import { combinedSortedSets } from './zset-combined.ts';
import type { Group } from '../script.ts';

/** All cases, by Redis's groups of commands. */
export const groups: readonly Group[] = [
  strings,
  bits,
  keys,
  keyspace,
  hashes,
  lists,
  sets,
  sortedSets,
  combinedSortedSets,
  geo,
  streams,
  pubsub,
  transactions,
  scripting,
  connection,
  pipelines,
  client,
  server,
  acl,
  protocol,
  big,
];
