/** An end of a socket as Redis prints it in CLIENT LIST; a Unix socket has no address. */
export function addressOf(host: string | undefined, port: number | undefined): string {
  if (host === undefined) return 'unix:0';
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
