import { z } from 'zod';
import { latin1 } from '../base/latin1.ts';
import { KeyPattern } from '../cache/key-pattern.ts';

/** What a message of the application channel says. Shape: keys and prefixes as latin1. */
export interface ChannelMessage {
  readonly form: 'key' | 'list' | 'object';
  readonly keys: readonly string[];
  /** Whatever fits one of these has changed too. */
  readonly patterns: readonly KeyPattern[];
  /** Undefined = it cannot be known whether something of this publisher is missing. */
  readonly publisher: Publisher | undefined;
}

/** Who sent it, and which of its messages it is. */
export interface Publisher {
  readonly id: string;
  readonly seq: number;
  /** It begins to count anew, and knows that nothing before was lost. */
  readonly isReset: boolean;
  /** All that it ever names begins so; '' = it may be anything. */
  readonly scope: string;
}

/** A larger payload is not read. */
const PAYLOAD_BYTES_MAX = 1024 * 1024;
const PUBLISHER_CHARS_MAX = 256;
/** JSON, rather than a key that begins with a hash tag; also where something stands before it that should not. */
const JSON_START = /^(?:\xef\xbb\xbf)?\s*(?:\[|\{\s*(?:"|\}\s*$))/;

const name = z
  .string()
  .refine((text) => text.isWellFormed())
  .transform((text) => Buffer.from(text, 'utf8').toString('latin1'));
const LIST = z.array(name);
const MESSAGE = z.strictObject({
  v: z.literal(1),
  from: z.string().min(1).max(PUBLISHER_CHARS_MAX).optional(),
  seq: z.int().min(0).optional(),
  reset: z.literal(true).optional(),
  scope: name.optional(),
  keys: LIST.default([]),
  keysBase64: z
    .array(z.base64().transform((text) => Buffer.from(text, 'base64').toString('latin1')))
    .default([]),
  prefixes: LIST.default([]),
  tags: z.array(name.refine((tag) => tag !== '' && !tag.includes('}'))).default([]),
});

/** Read a payload. Shape: one key as it is; or, when it begins with `[`, a JSON array of keys; or, when it begins with `{"`, a
 *  JSON object of version 1. Text in JSON means its UTF-8 bytes.
 *  Errors: undefined when it is none of these; a field that is not known counts, since it may name anything. */
export function parseMessage(payload: Buffer): ChannelMessage | undefined {
  if (payload.length === 0 || payload.length > PAYLOAD_BYTES_MAX) return undefined;
  const text = latin1(payload, 0, payload.length);
  if (!JSON_START.test(text)) return { form: 'key', keys: [text], patterns: [], publisher: undefined };
  const value = jsonOf(payload);
  if (Array.isArray(value)) {
    const keys = LIST.safeParse(value).data;
    return keys && { form: 'list', keys, patterns: [], publisher: undefined };
  }
  const fields = MESSAGE.safeParse(value).data;
  return fields === undefined ? undefined : messageOf(fields);
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload));
  } catch {
    return undefined;
  }
}

function messageOf(fields: z.infer<typeof MESSAGE>): ChannelMessage | undefined {
  const { from: id, seq, scope = '', prefixes, tags } = fields;
  const keys = [...fields.keys, ...fields.keysBase64];
  // Half a claim, or one that is not kept, would be believed when a message is missing.
  const isCounted = id !== undefined && seq !== undefined;
  if (!isCounted && (id ?? seq ?? fields.reset ?? fields.scope) !== undefined) return undefined;
  if (scope !== '' && (tags.length > 0 || ![...keys, ...prefixes].every((key) => key.startsWith(scope))))
    return undefined;
  return {
    form: 'object',
    keys,
    patterns: [
      ...prefixes.map((prefix) => KeyPattern.beginsWith(prefix)),
      ...tags.map((tag) => KeyPattern.has(`{${tag}}`)),
    ],
    publisher: isCounted ? { id, seq, isReset: fields.reset === true, scope } : undefined,
  };
}
