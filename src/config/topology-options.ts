import { parseHostPort, type Parsed } from './addresses.ts';
import type { HostPort } from './config.ts';
import { choice, duration, type OptionRows, onOff, optional, parsed } from './option.ts';
import { MINUTE } from './units.ts';

type TopologyKey =
  | 'topologyRefreshMs'
  | 'topologyMaxAgeMs'
  | 'readPreference'
  | 'clusterEmulation'
  | 'clusterAnnounce';
type InvalidationKey = 'invalidationSource' | 'invalidationChannel' | 'invalidationHoldOffMs';

const CHANNEL_BYTES_MAX = 1024;

/** Which servers there are, and which of them is asked. */
export const topology: Pick<OptionRows, TopologyKey> = {
  topologyRefreshMs: duration({
    flag: 'topology-refresh',
    initial: '250ms',
    min: 10,
    max: MINUTE,
    help: 'How often Sentinels and the nodes of a Cluster are asked who is who',
  }),
  topologyMaxAgeMs: optional(
    duration({
      flag: 'topology-max-age',
      min: 100,
      max: MINUTE,
      help: 'Nothing is served from the near-cache when they have not answered for so long; as --max-staleness if absent',
    }),
  ),
  readPreference: choice({
    flag: 'read-preference',
    initial: 'primary',
    words: ['primary', 'replica', 'nearest'],
    help: 'Who answers reads that are not in the near-cache; what a replica answers is never kept',
  }),
  clusterEmulation: onOff({
    flag: 'cluster-emulation',
    help: 'Answer CLUSTER … as one node that owns all slots, for cluster-aware clients',
  }),
  clusterAnnounce: parsed({
    flag: 'cluster-announce',
    initial: 'auto',
    form: 'host:port, [IPv6]:port or auto',
    parse: parseAnnounce,
    help: 'Address of that node; auto = the one that the session connected to',
  }),
};

/** What tells that an entry is out of date, beside tracking. */
export const invalidation: Pick<OptionRows, InvalidationKey> = {
  invalidationSource: choice({
    flag: 'invalidation-source',
    initial: 'tracking',
    words: ['tracking', 'keyspace', 'ttl'],
    help: 'For a Redis without usable tracking: tracking = no near-cache there, keyspace = by its keyspace notifications, ttl = entries just end soon',
  }),
  invalidationChannel: parsed({
    flag: 'invalidation-channel',
    initial: 'off',
    form: `the name of a channel, such as nearcache:invalidate, of up to ${CHANNEL_BYTES_MAX} bytes, or off`,
    parse: parseChannel,
    help: 'Pub/sub channel where writers that Redis does not see tell which keys they changed',
  }),
  invalidationHoldOffMs: duration({
    flag: 'invalidation-hold-off',
    initial: '100ms',
    min: 0,
    max: MINUTE,
    help: 'Keys that such a message names are not kept for so long, since it may be ahead of the data',
  }),
};

function parseAnnounce(text: string): Parsed<HostPort | undefined> {
  if (text === 'auto') return { value: undefined };
  const value = parseHostPort(text);
  if (value === undefined) return { problem: `"${text}" is not an address` };
  return value.port === 0 ? { problem: 'port 0 is not a port to connect to' } : { value };
}

function parseChannel(text: string): Parsed<string | undefined> {
  if (text === '' || text === 'off') return { value: undefined };
  const bytes = Buffer.byteLength(text);
  return bytes <= CHANNEL_BYTES_MAX
    ? { value: text }
    : { problem: `a name of ${bytes} bytes is not accepted` };
}
