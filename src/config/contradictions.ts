import type { UpstreamConfig } from './config.ts';
import type { OptionKey, Settings } from './option.ts';
import type { Source } from './sources.ts';
import { MB, printSize } from './units.ts';
import { membersOf } from './upstream.ts';

/** What rules look at beside the settings. */
export interface Circumstances {
  readonly upstream: UpstreamConfig;
  /** Which source gave a setting; none = it is the default. */
  readonly given: ReadonlyMap<string, Source>;
}

/** Settings that are fine alone and not together. */
interface Rule {
  /** What the rule looks at; the first is the one to change. */
  readonly keys: readonly OptionKey[];
  readonly isBroken: (settings: Settings, circumstances: Circumstances) => boolean;
  readonly text: string;
}

/** Below it a store could not keep its segments apart. */
const CACHE_BYTES_MIN = MB;

const TLS_KEYS = ['upstreamTlsCa', 'upstreamTlsCert', 'upstreamTlsKey', 'upstreamTlsServerName'] as const;
const RING_KEYS = ['ringDistribution', 'ringHash', 'ringHashTag'] as const;

const RULES: readonly Rule[] = [
  {
    keys: ['cacheBytes'],
    isBroken: (all) => all.cacheBytes > 0 && all.cacheBytes < CACHE_BYTES_MIN,
    text: `must be 0 (no cache) or at least ${printSize(CACHE_BYTES_MIN)}`,
  },
  {
    keys: ['upstreamPasswordFile', 'upstreamPassword'],
    isBroken: (all) => all.upstreamPassword !== undefined && all.upstreamPasswordFile !== undefined,
    text: 'give either --upstream-password or the file that holds it',
  },
  {
    keys: ['reconnectBaseMs', 'reconnectMaxMs'],
    isBroken: (all) => all.reconnectBaseMs > all.reconnectMaxMs,
    text: 'must not be over --reconnect-max',
  },
  {
    keys: ['listen', 'tlsCert'],
    isBroken: (all) => all.tlsCert === undefined && all.listen.some(({ kind }) => kind === 'tls'),
    text: 'a tls:// listener needs --tls-cert and --tls-key',
  },
  needs('tlsCert', 'tlsKey', '--tls-key'),
  needs('tlsKey', 'tlsCert', '--tls-cert'),
  needs('tlsCa', 'tlsCert', '--tls-cert'),
  needs('upstreamTlsCert', 'upstreamTlsKey', '--upstream-tls-key'),
  needs('upstreamTlsKey', 'upstreamTlsCert', '--upstream-tls-cert'),
  ...TLS_KEYS.map(needsTls),
  {
    keys: ['ring', 'upstream'],
    isBroken: isWithRing('upstream'),
    text: 'give either ring or upstream, not both',
  },
  ...RING_KEYS.map(belongsToRing),
  ...RING_KEYS.map(needsRing),
  isOwnEverywhere('upstreamUser', 'user'),
  isOwnEverywhere('upstreamPassword', 'password'),
  isOwnEverywhere('upstreamPasswordFile', 'password'),
  {
    keys: ['topologyRefreshMs', 'topologyMaxAgeMs', 'maxStalenessMs', 'upstream', 'ring'],
    isBroken: (all, { upstream }) =>
      isWatched(upstream) && all.topologyRefreshMs >= (all.topologyMaxAgeMs ?? all.maxStalenessMs),
    text: 'must be under --topology-max-age, which is --max-staleness if absent',
  },
  {
    keys: ['readPreference', 'upstream', 'ring'],
    isBroken: (all, { upstream }) => all.readPreference !== 'primary' && !hasReplicas(upstream),
    text: 'no shard has replicas to read from: name them in the URL, ?replica=host:port',
  },
  {
    keys: ['policies', 'upstream', 'ring'],
    isBroken: (all, { upstream }) =>
      all.policies.some(({ readPreference = 'primary' }) => readPreference !== 'primary') &&
      !hasReplicas(upstream),
    text: 'a policy has a readPreference, but no shard has replicas to read from: name them in the URL, ?replica=host:port',
  },
  {
    keys: ['clusterAnnounce', 'clusterEmulation'],
    isBroken: (all) => all.clusterAnnounce !== undefined && !all.clusterEmulation,
    text: 'is of no use without --cluster-emulation',
  },
  {
    keys: ['invalidationHoldOffMs', 'invalidationChannel'],
    isBroken: (all, { given }) => given.has('invalidationHoldOffMs') && all.invalidationChannel === undefined,
    text: 'is of no use without --invalidation-channel',
  },
];

/** Find the settings that do not go together. Shape: the key to change and what is wrong with it; a rule that
 *  looks at one of `invalid` says nothing, since its value there is not the user's. */
export function findContradictions(
  settings: Settings,
  circumstances: Circumstances,
  invalid: ReadonlySet<string>,
): readonly { readonly key: OptionKey; readonly text: string }[] {
  return RULES.filter(
    (rule) => !rule.keys.some((key) => invalid.has(key)) && rule.isBroken(settings, circumstances),
  ).map(({ keys, text }) => ({ key: keys[0] as OptionKey, text }));
}

function needs(key: OptionKey, other: OptionKey, flag: string): Rule {
  return {
    keys: [key, other],
    isBroken: (all) => all[key] !== undefined && all[other] === undefined,
    text: `is of no use without ${flag}`,
  };
}

/** Beside redis:// it would be ignored, and someone would believe that the link is encrypted. */
function needsTls(key: OptionKey): Rule {
  return {
    keys: [key, 'upstream', 'ring'],
    isBroken: (all, { upstream }) => all[key] !== undefined && !membersOf(upstream).some(({ tls }) => tls),
    text: 'has no effect beside a redis:// upstream; write rediss:// for TLS',
  };
}

/** A setting for URLs that have none of their own, where all have. */
function isOwnEverywhere(key: OptionKey, name: 'user' | 'password'): Rule {
  return {
    keys: [key, 'upstream', 'ring'],
    isBroken: (all, { upstream }) =>
      all[key] !== undefined && membersOf(upstream).every((member) => member[name] !== undefined),
    text: `has no effect: every URL has a ${name} of its own`,
  };
}

/** One file must not say the same thing twice; a flag or a variable may well overrule the file. */
function belongsToRing(key: (typeof RING_KEYS)[number]): Rule {
  return { keys: [key, 'ring'], isBroken: isWithRing(key), text: 'belongs into the ring of the same file' };
}

function isWithRing(key: OptionKey): Rule['isBroken'] {
  return (_, { given }) => given.has('ring') && given.get('ring') === given.get(key);
}

function needsRing(key: (typeof RING_KEYS)[number]): Rule {
  return {
    keys: [key, 'upstream', 'ring'],
    isBroken: (_, { upstream, given }) => given.has(key) && upstream.kind === 'cluster',
    text: 'has no effect beside a Cluster, which places keys itself',
  };
}

/** Whether someone else says which servers there are. */
function isWatched(upstream: UpstreamConfig): boolean {
  return upstream.kind === 'cluster' || upstream.shards.some(({ source }) => source.kind === 'sentinel');
}

function hasReplicas(upstream: UpstreamConfig): boolean {
  return (
    isWatched(upstream) ||
    membersOf(upstream).some((member) => 'replicas' in member && member.replicas.length > 0)
  );
}
