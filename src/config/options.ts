// The one truth about what can be set: flags, environment, file, `--help`, JSON Schema and docs/options.md all
// come from these rows. A default is written as a user would write it and goes through the same parser.

import { ADMIN_FORM, LISTEN_FORM, parseAdmin, parseListen } from './addresses.ts';
import { cacheFreshness, cacheMemory, cacheTimes } from './cache-options.ts';
import { limits, times } from './limits.ts';
import {
  choice,
  file,
  list,
  type Option,
  type OptionKey,
  type OptionRows,
  onOff,
  parsed,
  text,
} from './option.ts';
import { breaker, lifecycle, outage, shedding } from './outage-options.ts';
import { policiesOption } from './policies.ts';
import { ringOption, ringOptions } from './ring.ts';
import { invalidation, topology } from './topology-options.ts';
import { upstreamOption } from './upstream.ts';

const addresses = {
  listen: list({
    flag: 'listen',
    initial: '127.0.0.1:6379,[::1]:6379',
    form: LISTEN_FORM,
    parse: parseListen,
    help: 'Where apps connect. The default skips ::1 on a machine without IPv6',
  }),
  upstream: upstreamOption,
  admin: parsed({
    flag: 'admin',
    initial: '127.0.0.1:9379',
    form: ADMIN_FORM,
    parse: parseAdmin,
    help: 'Where probes and metrics are served over HTTP',
  }),
} satisfies Partial<OptionRows>;

const upstream = {
  upstreamUser: text({ flag: 'upstream-user', help: 'ACL user, where the URL has none' }),
  upstreamPassword: text({
    flag: 'upstream-password',
    help: 'Password, where the URL has none. A flag shows in the process list: prefer the variable',
    secret: true,
  }),
  upstreamPasswordFile: file({
    flag: 'upstream-password-file',
    help: 'File that holds the password where the URL has none, read again at every connect',
  }),
  upstreamTlsCa: file({
    flag: 'upstream-tls-ca',
    help: 'PEM file of the authorities that may sign the certificate of Redis; the system ones if absent',
  }),
  upstreamTlsCert: file({
    flag: 'upstream-tls-cert',
    help: 'PEM file of the client certificate shown to Redis',
  }),
  upstreamTlsKey: file({ flag: 'upstream-tls-key', help: 'PEM file of the key of that certificate' }),
  upstreamTlsServerName: text({
    flag: 'upstream-tls-server-name',
    help: 'Name that the certificate of Redis must carry; the host of the URL if absent',
  }),
} satisfies Partial<OptionRows>;

const ring = { ...ringOptions, ring: ringOption } satisfies Partial<OptionRows>;

const cachePolicies = { policies: policiesOption } satisfies Partial<OptionRows>;

const behaviour = {
  requireAuth: onOff({ flag: 'require-auth', help: 'Refuse sessions that did not authenticate themselves' }),
  logLevel: choice({
    flag: 'log-level',
    initial: 'info',
    words: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    help: 'Least severe level that is logged',
  }),
  logFormat: choice({
    flag: 'log-format',
    initial: 'auto',
    words: ['auto', 'json', 'pretty'],
    help: 'auto = pretty on a terminal, else JSON lines',
  }),
} satisfies Partial<OptionRows>;

const listenerTls = {
  tlsCert: file({ flag: 'tls-cert', help: 'PEM file of the certificate of the tls:// listeners' }),
  tlsKey: file({ flag: 'tls-key', help: 'PEM file of the key of that certificate' }),
  tlsCa: file({
    flag: 'tls-ca',
    help: 'PEM file of authorities; when given, apps must show a certificate that one of them signed',
  }),
} satisfies Partial<OptionRows>;

/** The options under the headings of `--help` and of the docs. */
export const OPTION_GROUPS: readonly {
  readonly title: string;
  readonly rows: Readonly<Partial<OptionRows>>;
}[] = [
  { title: 'Addresses', rows: addresses },
  { title: 'Connecting to Redis', rows: upstream },
  { title: 'Ring of shards', rows: ring },
  { title: 'Topology', rows: topology },
  { title: 'Near-cache: memory', rows: cacheMemory },
  { title: 'Near-cache: how long entries live', rows: { ...cacheTimes, ...cachePolicies } },
  { title: 'Near-cache: freshness', rows: cacheFreshness },
  { title: 'Near-cache: invalidations', rows: invalidation },
  { title: 'Behaviour', rows: behaviour },
  { title: 'Circuit breaker', rows: breaker },
  { title: 'While a shard is away', rows: outage },
  { title: 'Load shedding', rows: shedding },
  { title: 'Start and end', rows: lifecycle },
  { title: 'Times', rows: times },
  { title: 'Limits', rows: limits },
  { title: 'TLS of the listeners', rows: listenerTls },
];

/** Every option by its key. */
export const OPTIONS: OptionRows = {
  ...addresses,
  ...upstream,
  ...ring,
  ...topology,
  ...cacheMemory,
  ...cacheTimes,
  ...cachePolicies,
  ...cacheFreshness,
  ...invalidation,
  ...behaviour,
  ...breaker,
  ...outage,
  ...shedding,
  ...lifecycle,
  ...times,
  ...limits,
  ...listenerTls,
};

/** The rows with their keys, in the order of the groups. */
export const OPTION_ROWS: readonly (readonly [OptionKey, Option])[] = Object.entries(OPTIONS) as [
  OptionKey,
  Option,
][];

/** The environment variable of a flag. */
export function variableOf(flag: string): string {
  return `NEARCACHE_${flag.replaceAll('-', '_').toUpperCase()}`;
}
