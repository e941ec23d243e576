// The URLs of what is behind us. A problem never quotes any of one: whatever part it is, a password may have got into it.

import { parseHostPort, type Parsed } from './addresses.ts';
import type { ClusterConfig, HostPort, ShardConfig } from './config.ts';

/** One shard as its URL has it; what the URL does not say is left to others.
 *  Shape: `given` has the texts of its ?query, decoded and not yet looked at. */
export interface ShardUrl extends Pick<ShardConfig, 'source' | 'tls' | 'user' | 'password'> {
  readonly kind: 'shard';
  readonly given: { readonly name?: string; readonly weight?: string; readonly replicas?: readonly string[] };
}

/** Most Sentinels, seeds of a Cluster, or replicas of a shard. */
export const HOSTS_MAX = 64;
/** Where Redis listens when nothing else is said. */
export const REDIS_PORT = 6379;

const SHARD_QUERY = '[?name=…&weight=…&replica=host[:port]]';
export const SHARD_FORM: string =
  `redis://[user[:password]@]host[:port]${SHARD_QUERY} or ` +
  `redis+sentinel://[user[:password]@]host[:port],…/master${SHARD_QUERY}; rediss… for TLS`;
export const UPSTREAM_FORM: string =
  `${SHARD_FORM}; several by commas are a ring; ` +
  'or for a Cluster redis+cluster://[user[:password]@]host[:port],…';

const SENTINEL_PORT = 26_379;
const BAD_URL = 'not a valid URL (percent-encode @ : / # ? % inside a user or password)';
const BAD_ENCODING = 'user, password or ?query is not valid percent-encoding (write % as %25)';

/** What stands before `://`. */
interface Scheme {
  readonly kind: 'address' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** What the ?query may have. */
  readonly names: readonly string[];
}

const SHARD_NAMES = ['name', 'weight', 'replica'];
const SENTINEL_NAMES = [...SHARD_NAMES, 'sentinelUser', 'sentinelPassword'];
const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['redis', { kind: 'address', tls: false, names: SHARD_NAMES }],
  ['rediss', { kind: 'address', tls: true, names: SHARD_NAMES }],
  ['redis+sentinel', { kind: 'sentinel', tls: false, names: SENTINEL_NAMES }],
  ['rediss+sentinel', { kind: 'sentinel', tls: true, names: SENTINEL_NAMES }],
  ['redis+cluster', { kind: 'cluster', tls: false, names: [] }],
  ['rediss+cluster', { kind: 'cluster', tls: true, names: [] }],
]);
/** Groups: scheme, user and password, hosts, path, query, fragment. */
const URL_PATTERN = /^([\w+.-]+):\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#.*)?$/s;

/** Divide a comma list of URLs. The hosts of one URL, and a password, may hold commas: a new URL begins where a new
 *  `scheme://` does. */
export function splitUrls(text: string): readonly string[] {
  return text.split(/,(?=\s*[\w+.-]+:\/\/)/).map((url) => url.trim());
}

/** Read one URL. Shape: as `UPSTREAM_FORM`; user, password and the values of the query percent-encoded where needed. */
export function parseUpstreamUrl(text: string): Parsed<ShardUrl | ClusterConfig> {
  const [, name = '', userinfo, hostList = '', path = '', queryText, fragment] = URL_PATTERN.exec(text) ?? [];
  const scheme = SCHEMES.get(name);
  if (scheme === undefined) return { problem: startProblem(text) };
  if (fragment !== undefined)
    return { problem: 'a URL may not have a #fragment (percent-encode # in a password)' };
  const credentials = readCredentials(userinfo);
  if (credentials.problem !== undefined) return credentials;
  const hosts = readHosts(hostList, scheme);
  if (hosts.problem !== undefined) return hosts;
  const query = readQuery(queryText, scheme.names);
  if (query.problem !== undefined) return query;
  const common = { tls: scheme.tls, ...credentials.value };
  if (scheme.kind === 'sentinel') return readSentinel(path, common, hosts.value, query.value);
  if (path !== '' && path !== '0') {
    return { problem: 'a URL may not name a database: sessions start in 0 and choose with SELECT' };
  }
  if (scheme.kind === 'cluster') return { value: { kind: 'cluster', seeds: hosts.value, ...common } };
  const source = { kind: 'address', ...(hosts.value[0] as HostPort) } as const;
  return { value: { kind: 'shard', source, ...common, given: query.value.given } };
}

/** A scheme that is not known is not quoted either: behind a comma it may be from within a password. */
function startProblem(text: string): string {
  const schemes = [...SCHEMES.keys()].map((name) => `${name}://`);
  return schemes.some((scheme) => text.startsWith(scheme))
    ? BAD_URL
    : `a URL must start with ${schemes.join(', ')}`;
}

type Credentials = Pick<ShardConfig, 'user' | 'password'>;

function readCredentials(userinfo = ''): Parsed<Credentials> {
  // Behind a first @ there could be a second user with a second host, which must not become a part of the password.
  if (userinfo.includes('@')) return { problem: BAD_URL };
  const [, userText = '', passwordText = ''] = /^([^:]*):?(.*)$/s.exec(userinfo) ?? [];
  const user = decoded(userText);
  const password = decoded(passwordText);
  if (user === undefined || password === undefined) return { problem: BAD_ENCODING };
  return { value: { ...(user === '' ? {} : { user }), ...(password === '' ? {} : { password }) } };
}

function readHosts(text: string, { kind }: Scheme): Parsed<readonly HostPort[]> {
  const assumed = kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT;
  const texts = text.split(',').map((host) => host.trim());
  if (kind === 'address' && texts.length > 1) {
    return {
      problem: 'has several hosts: each shard of a ring has a URL of its own, with redis:// before it',
    };
  }
  return parseHosts(texts, assumed) ?? { problem: BAD_URL };
}

/** Read a list of addresses, all distinct. Bounds: up to `HOSTS_MAX`. Errors: undefined where one is none. */
export function parseHosts(
  texts: readonly string[],
  assumed: number,
): Parsed<readonly HostPort[]> | undefined {
  if (texts.length > HOSTS_MAX) return { problem: `has ${texts.length} addresses, more than ${HOSTS_MAX}` };
  const value = texts.flatMap((text) => parseHostPort(text, assumed) ?? []);
  if (value.length < texts.length) return undefined;
  if (value.some(({ port }) => port === 0)) return { problem: 'port 0 is not a port to connect to' };
  if (new Set(value.map(({ host, port }) => `${host} ${port}`)).size < value.length) {
    return { problem: 'names the same address twice' };
  }
  return { value };
}

interface Query {
  readonly given: ShardUrl['given'];
  readonly sentinelUser: string | undefined;
  readonly sentinelPassword: string | undefined;
}

function readQuery(text: string | undefined, names: readonly string[]): Parsed<Query> {
  const values = new Map<string, string[]>();
  for (const part of text?.split('&') ?? []) {
    const [, name, encoded] = /^(\w+)=(.*)$/s.exec(part) ?? [];
    if (name === undefined || encoded === undefined || !names.includes(name)) {
      const rule =
        names.length === 0 ? 'may not have a ?query' : `may have in its ?query only ${names.join(', ')}`;
      return { problem: `a URL of this kind ${rule} (percent-encode ? in a password)` };
    }
    const value = decoded(encoded);
    if (value === undefined) return { problem: BAD_ENCODING };
    const earlier = values.get(name);
    if (earlier === undefined) values.set(name, [value]);
    else if (name === 'replica') earlier.push(value);
    else return { problem: `has ${name} twice` };
  }
  const [name] = values.get('name') ?? [];
  const [weight] = values.get('weight') ?? [];
  const replicas = values.get('replica');
  const given = {
    ...(name === undefined ? {} : { name }),
    ...(weight === undefined ? {} : { weight }),
    ...(replicas === undefined ? {} : { replicas }),
  };
  const [sentinelUser] = values.get('sentinelUser') ?? [];
  const [sentinelPassword] = values.get('sentinelPassword') ?? [];
  return { value: { given, sentinelUser, sentinelPassword } };
}

function readSentinel(
  path: string,
  common: Pick<ShardUrl, 'tls' | 'user' | 'password'>,
  sentinels: readonly HostPort[],
  { given, sentinelUser, sentinelPassword }: Query,
): Parsed<ShardUrl> {
  const master = decoded(path);
  if (master === undefined) return { problem: BAD_ENCODING };
  if (!/^[\w.-]{1,128}$/.test(master)) {
    return { problem: 'must name the master that the Sentinels watch, such as …:26379/mymaster' };
  }
  if (sentinelUser !== undefined && sentinelPassword === undefined) {
    return { problem: 'has a sentinelUser without a sentinelPassword' };
  }
  const source = {
    kind: 'sentinel',
    sentinels,
    master,
    ...(sentinelUser === undefined ? {} : { sentinelUser }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  } as const;
  return { value: { kind: 'shard', source, ...common, given } };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // The only error is malformed percent-encoding, and the caller words it.
  }
}
