import { isIPv6 } from 'node:net';
import type { AdminAddress, HostPort, ListenAddress } from './config.ts';

/** A value, or in one sentence why there is none. */
export type Parsed<T> =
  | { readonly value: T; readonly problem?: never }
  | { readonly problem: string; readonly value?: never };

export const LISTEN_FORM = 'host:port, [IPv6]:port, tls://host:port or unix:/path, comma separated';
export const ADMIN_FORM = 'host:port, [IPv6]:port, :port for all addresses, or off';

/** The kernel's `sun_path`, less its closing zero byte. */
const UNIX_PATH_BYTES_MAX = 107;

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

/** Read `host:port` or `[IPv6]:port`, or without a port where there is one to assume. Errors: undefined. */
export function parseHostPort(text: string, assumed?: number): HostPort | undefined {
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? assumed : Number(digits);
  if (host === undefined || port === undefined || port > 65_535) return undefined;
  if (v6 !== undefined && !isIPv6(v6)) return undefined;
  return { host, port };
}

/** Print a TCP address, with brackets around IPv6. */
export function printHostPort(address: HostPort): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
