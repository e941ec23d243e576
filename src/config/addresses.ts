import { isIPv6 } from 'node:net';
import type { AdminAddress, ListenAddress, UpstreamAddress } from './config.ts';

/** A value, or in one sentence why there is none. */
export type Parsed<T> =
  | { readonly value: T; readonly problem?: never }
  | { readonly problem: string; readonly value?: never };

export const LISTEN_FORM = 'host:port, [IPv6]:port, tls://host:port or unix:/path, comma separated';
export const UPSTREAM_FORM = 'redis://[user[:password]@]host[:port] or rediss://… for TLS';
export const ADMIN_FORM = 'host:port, [IPv6]:port, :port for all addresses, or off';

/** The kernel's `sun_path`, less its closing zero byte. */
const UNIX_PATH_BYTES_MAX = 107;
const REDIS_PORT = 6379;

/** Said wherever more than one shard is asked for. */
export const NO_RING =
  'several shards need the ring, which this version does not have yet: give one redis:// or rediss:// URL';

/** Read one listener. Shape: as `LISTEN_FORM`, one of the list. Errors: a problem that quotes the text. */
export function parseListen(text: string): Parsed<ListenAddress> {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (!path.startsWith('/'))
      return { problem: `"${text}" needs an absolute path, such as unix:/run/nc.sock` };
    if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
      return { problem: `"${text}" is longer than the ${UNIX_PATH_BYTES_MAX} bytes a socket path may have` };
    }
    return { value: { kind: 'unix', path } };
  }
  const kind = text.startsWith('tls://') ? 'tls' : 'tcp';
  const address = parseHostPort(text.replace(/^(tls|tcp):\/\//, ''));
  if (address === undefined) return { problem: `"${text}" is not an address` };
  return { value: { kind, ...address } };
}

/** Print a listener so that `parseListen` gives it back. */
export function printListen(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.kind === 'tls' ? 'tls://' : ''}${printHostPort(address)}`;
}

/** Read where the admin server listens. Shape: as `ADMIN_FORM`. Errors: a problem that quotes the text. */
export function parseAdmin(text: string): Parsed<AdminAddress | undefined> {
  if (text === 'off') return { value: undefined };
  const value = parseHostPort(text.startsWith(':') ? `[::]${text}` : text);
  return value === undefined ? { problem: `"${text}" is not an address` } : { value };
}

/** Read the upstream's URL. Shape: as `UPSTREAM_FORM`; user and password percent-encoded where needed.
 *  Errors: a problem that never quotes the URL, since that may hold a password. */
export function parseUpstream(text: string): Parsed<UpstreamAddress> {
  const scheme = /^([\w+.-]+):\/\//.exec(text)?.[1];
  if (scheme === 'redis+cluster' || scheme === 'redis+sentinel') return { problem: NO_RING };
  if (scheme !== 'redis' && scheme !== 'rediss') {
    return { problem: `a URL must start with redis:// or rediss://${scheme ? `, not ${scheme}://` : ''}` };
  }
  // A password may hold a comma; a second URL, or one behind the last @, cannot be part of it.
  if (/,\s*[\w+.-]+:\/\//.test(text) || text.slice(text.lastIndexOf('@') + 1).includes(',')) {
    return { problem: NO_RING };
  }
  const url = URL.parse(text);
  if (url === null || url.hostname === '') {
    return { problem: 'not a valid URL (percent-encode @ : / # ? % inside a user or password)' };
  }
  return readUrl(url);
}

/** Print a TCP address, with brackets around IPv6. */
export function printHostPort(address: { readonly host: string; readonly port: number }): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

function readUrl(url: URL): Parsed<UpstreamAddress> {
  if (url.pathname !== '' && url.pathname !== '/' && url.pathname !== '/0') {
    return { problem: 'a URL may not name a database: sessions start in 0 and choose with SELECT' };
  }
  if (url.search !== '' || url.hash !== '') {
    return { problem: 'a URL may not have a ?query or a #fragment (percent-encode those in a password)' };
  }
  const user = decodePart(url.username);
  const password = decodePart(url.password);
  if (user === undefined || password === undefined) {
    return { problem: 'user or password is not valid percent-encoding (write % as %25)' };
  }
  const port = url.port === '' ? REDIS_PORT : Number(url.port);
  if (port === 0) return { problem: 'port 0 is not a port to connect to' };
  return {
    value: {
      name: 'shard0',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      tls: url.protocol === 'rediss:',
      ...(user === '' ? {} : { user }),
      ...(password === '' ? {} : { password }),
    },
  };
}

function decodePart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // The only error is malformed percent-encoding, and the caller words it.
  }
}

function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535) return undefined;
  if (match?.[1] !== undefined && !isIPv6(host)) return undefined;
  return { host, port };
}
