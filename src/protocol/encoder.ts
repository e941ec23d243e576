/** Replies that never change, and may be written to any socket as they are. */
export const OK: Buffer = Buffer.from('+OK\r\n');
export const PONG: Buffer = Buffer.from('+PONG\r\n');
export const QUEUED: Buffer = Buffer.from('+QUEUED\r\n');
export const RESET: Buffer = Buffer.from('+RESET\r\n');
export const NIL2: Buffer = Buffer.from('$-1\r\n');
export const NIL_ARRAY2: Buffer = Buffer.from('*-1\r\n');
export const NIL3: Buffer = Buffer.from('_\r\n');
export const EMPTY_ARRAY: Buffer = Buffer.from('*0\r\n');

/** A reply that nearcache makes itself. Bulk and verbatim strings are written as UTF-8, lines as in `errorReply`. */
export type ReplyValue =
  | { readonly type: 'simple' | 'error' | 'verbatim'; readonly text: string }
  | { readonly type: 'bulk'; readonly bytes: string | Buffer }
  | { readonly type: 'integer'; readonly value: number | bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'nil' | 'nil-array' }
  | { readonly type: 'array' | 'set' | 'push'; readonly items: readonly ReplyValue[] }
  | { readonly type: 'map'; readonly entries: readonly (readonly [ReplyValue, ReplyValue])[] };

/** A request in RESP. Shape: `*argc\r\n$len\r\n…`; strings are UTF-8. Cost: O(bytes). */
export function encodeRequest(args: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) pushBulk(parts, arg);
  return Buffer.concat(parts);
}

/** An error reply. Shape: `text` begins with its prefix (`ERR …`); one byte a char, so that a client's bytes in a message
 *  come back as they were. CR and LF become blanks as in Redis, since they would end the line. */
export function errorReply(text: string): Buffer {
  return lineReply('-', text);
}

export function bulkReply(bytes: string | Buffer): Buffer {
  const parts: Buffer[] = [];
  pushBulk(parts, bytes);
  return Buffer.concat(parts);
}

export function integerReply(value: number | bigint): Buffer {
  return Buffer.from(`:${value}\r\n`);
}

/** A reply in the session's protocol: in RESP2 a map is a flat array, a boolean a number, a double and a verbatim
 *  text a bulk, a set and a push an array. Cost: O(bytes). */
export function encodeReply(value: ReplyValue, proto: 2 | 3): Buffer {
  const parts: Buffer[] = [];
  pushReply(parts, value, proto);
  return Buffer.concat(parts);
}

function pushReply(parts: Buffer[], value: ReplyValue, proto: 2 | 3): void {
  switch (value.type) {
    case 'simple':
      return void parts.push(lineReply('+', value.text));
    case 'error':
      return void parts.push(lineReply('-', value.text));
    case 'integer':
      return pushLine(parts, `:${value.value}`);
    case 'bulk':
      return pushBulk(parts, value.bytes);
    case 'verbatim':
      return proto === 2 ? pushBulk(parts, value.text) : pushVerbatim(parts, value.text);
    case 'double':
      return proto === 2
        ? pushBulk(parts, doubleText(value.value))
        : pushLine(parts, `,${doubleText(value.value)}`);
    case 'boolean':
      return pushLine(parts, proto === 2 ? `:${value.value ? 1 : 0}` : `#${value.value ? 't' : 'f'}`);
    case 'nil':
      return void parts.push(proto === 2 ? NIL2 : NIL3);
    case 'nil-array':
      return void parts.push(proto === 2 ? NIL_ARRAY2 : NIL3);
    case 'array':
      return pushItems(parts, '*', value.items, proto);
    case 'set':
      return pushItems(parts, proto === 2 ? '*' : '~', value.items, proto);
    case 'push':
      return pushItems(parts, proto === 2 ? '*' : '>', value.items, proto);
    case 'map':
      pushLine(parts, proto === 2 ? `*${value.entries.length * 2}` : `%${value.entries.length}`);
      for (const [key, item] of value.entries) {
        pushReply(parts, key, proto);
        pushReply(parts, item, proto);
      }
  }
}

function pushItems(parts: Buffer[], sign: string, items: readonly ReplyValue[], proto: 2 | 3): void {
  pushLine(parts, `${sign}${items.length}`);
  for (const item of items) pushReply(parts, item, proto);
}

function pushLine(parts: Buffer[], line: string): void {
  parts.push(Buffer.from(`${line}\r\n`));
}

function pushBulk(parts: Buffer[], bytes: string | Buffer): void {
  const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
  if (typeof bytes === 'string') {
    parts.push(Buffer.from(`$${length}\r\n${bytes}\r\n`));
    return;
  }
  parts.push(Buffer.from(`$${length}\r\n`), bytes, Buffer.from('\r\n'));
}

function pushVerbatim(parts: Buffer[], text: string): void {
  pushLine(parts, `=${Buffer.byteLength(text) + 4}`);
  pushLine(parts, `txt:${text}`);
}

/** Infinity in Redis's words; other doubles in JavaScript's shortest form, which reads back as the same number. */
function doubleText(value: number): string {
  if (value === Infinity) return 'inf';
  return value === -Infinity ? '-inf' : Number.isNaN(value) ? 'nan' : String(value);
}

/** A char above one byte must not be cut to its low byte, which may be a line end. */
function lineReply(sign: '+' | '-', text: string): Buffer {
  return Buffer.from(`${sign}${text.replace(/[\r\n]/g, ' ').replace(/[\u0100-\uffff]/g, '?')}\r\n`, 'latin1');
}
