import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { encodeReply, errorReply, type ReplyValue } from '../../src/protocol/encoder.ts';
import { type Decoded, decodeChunks } from '../support/decoding.ts';
import { FrameReader } from '../support/frame-reader.ts';
import { MALFORMED } from '../support/malformed-requests.ts';
import { connectRaw } from '../support/raw-client.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

const TIME_BOX = { interruptAfterTimeLimit: 4_000, numRuns: 1_000 };

let open: RedisServer;
let locked: RedisServer;

beforeAll(async () => {
  [open, locked] = await Promise.all([startRedis(), startRedis({ password: 'secret' })]);
});

afterAll(async () => {
  await Promise.all([open.stop(), locked.stop()]);
});

describe('a real Redis', () => {
  for (const { name, bytes, isStranger } of MALFORMED) {
    it(`refuses ${name} with the bytes that the decoder’s error makes`, async () => {
      const sent = Buffer.from(bytes, 'latin1');
      const decoded = decodeChunks([sent], { authenticated: isStranger !== true });
      const answered = await answersTo(isStranger === true ? locked : open, sent);
      expect(answered).toEqual(decoded.map(protocolError));
    });
  }

  it('finds the same requests in bytes that are nearly right, and the same error', async () => {
    const part = fc.constantFrom(
      ...Array.from('*$120-\r\n "\'\\x\0\xff:\t\v'),
      '\r\n',
      '*1\r\n',
      '$4\r\n',
      'PING',
      'PING\r\n',
      '*1\r\n$4\r\nPING\r\n',
      '*2\r\n$4\r\nPING\r\n$1\r\n',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 25 }), async (parts) => {
        const sent = Buffer.from(parts.join(''), 'latin1');
        const requests = decodeChunks([sent]).filter((result) => result !== 'empty');
        const answers = await answersTo(open, sent);
        expect(answers.map((answer) => answer.startsWith('-ERR Protocol'))).toEqual(requests.map(isError));
        if (isError(requests.at(-1))) expect(answers.at(-1)).toBe(protocolError(requests.at(-1)));
      }),
      TIME_BOX,
    );
  });

  it('splits inline requests into the same arguments', async () => {
    const part = fc.constantFrom(
      ...Array.from('ab"\'\\ xn4f\t\v\f\r\xe4'),
      '"a b"',
      "'c d' ",
      '\\x41',
      '\\n',
      ' ',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 20 }), async (parts) => {
        const line = Buffer.from(`EVAL "return ARGV" 0 ${parts.join('')}\n`, 'latin1');
        const [decoded] = decodeChunks([line]);
        const items = (Array.isArray(decoded) ? decoded.slice(3) : []).map((text) => bulk(text));
        const expected = isError(decoded)
          ? protocolError(decoded)
          : encodeReply({ type: 'array', items }, 2).toString('latin1');
        expect(await answersTo(open, line)).toEqual([expected]);
      }),
      TIME_BOX,
    );
  });
});

/** All frames that a server sends to these bytes and a closed sending side. */
async function answersTo(server: RedisServer, bytes: Buffer): Promise<string[]> {
  const client = await connectRaw(server);
  client.socket.end(bytes);
  await client.closed;
  const reader = new FrameReader();
  reader.push(client.rest());
  const frames: string[] = [];
  for (let frame = reader.take(); frame !== undefined; frame = reader.take())
    frames.push(frame.toString('latin1'));
  expect(reader.rest()).toHaveLength(0);
  return frames;
}

function isError(decoded: Decoded | undefined): boolean {
  return typeof decoded === 'object' && 'error' in decoded;
}

function protocolError(decoded: Decoded | undefined): string {
  const error = typeof decoded === 'object' && 'error' in decoded ? decoded.error : '';
  return errorReply(`ERR Protocol error: ${error}`).toString('latin1');
}

function bulk(text: string): ReplyValue {
  return { type: 'bulk', bytes: Buffer.from(text, 'latin1') };
}
