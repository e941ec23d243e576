import { latin1 } from '../base/latin1.ts';
import { MINUS } from '../protocol/bytes.ts';
import { SLOTS } from './hash-slot.ts';

/** Where a cluster node says that a command belongs: `moved` = for good, `ask` = this once, behind ASKING.
 *  Shape: an empty `host` is the host that was asked, which a node says that does not know how it is reached. */
export interface Redirect {
  readonly kind: 'moved' | 'ask';
  readonly slot: number;
  readonly host: string;
  readonly port: number;
}

/** What an error reply of a cluster node means for whoever sent the command: `tryagain` = some of its keys have moved
 *  and some have not, `clusterdown` = nobody may serve the slot now. */
export type ClusterError = Redirect | 'tryagain' | 'clusterdown';

/** Longer lines are other errors: a host name has at most 253 chars. */
const LINE_MAX = 300;
const LETTER_A = 65;
const LETTER_C = 67;
const LETTER_M = 77;
const LETTER_T = 84;

/** Reads an error reply that only cluster nodes send; undefined for every other reply.
 *  Shape: buffer[start, end) is one reply, with or without its CRLF. A script may return any text as an error, so whoever
 *  follows a redirect checks that its slot is the command's.
 *  Cost: two bytes looked at for a reply that is no error, three for most errors. */
export function parseRedirect(buffer: Buffer, start: number, end: number): ClusterError | undefined {
  if (buffer[start] !== MINUS) return undefined;
  const first = buffer[start + 1];
  if (first !== LETTER_M && first !== LETTER_A && first !== LETTER_T && first !== LETTER_C) return undefined;
  const line = latin1(buffer, start, Math.min(end, start + LINE_MAX));
  if (/^-TRYAGAIN[ \r]/.test(line)) return 'tryagain';
  if (/^-CLUSTERDOWN[ \r]/.test(line)) return 'clusterdown';
  return redirectOf(line);
}

function redirectOf(line: string): Redirect | undefined {
  // The last colon: an IPv6 address has several, and Redis puts no brackets around it.
  const match = /^-(MOVED|ASK) (\d{1,5}) (\S*):(\d{1,5})(?:\r\n)?$/.exec(line);
  if (match === null) return undefined;
  const [, kind, slotText, host, portText] = match as unknown as [string, string, string, string, string];
  const [slot, port] = [Number(slotText), Number(portText)];
  if (slot >= SLOTS || port === 0 || port > 65_535) return undefined;
  return { kind: kind === 'MOVED' ? 'moved' : 'ask', slot, host: isUnknown(host) ? '' : host, port };
}

/** A node that does not know an address says nothing, or `?` where it was told to give names and has none. */
export function isUnknown(host: string): boolean {
  return host === '' || host === '?';
}
