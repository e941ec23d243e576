import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeRequest } from '../../src/protocol/encoder.ts';
import { DEFAULT_REQUEST_LIMITS } from '../../src/protocol/limits.ts';
import { ERROR, MORE, RequestDecoder } from '../../src/protocol/request-decoder.ts';
import { type Decoded, decodeChunks } from '../support/decoding.ts';
import { parseWithOracle } from '../support/redis-parser-oracle.ts';
import { cut, cuts } from '../support/resp-arbitrary.ts';

const TIME_BOX = { interruptAfterTimeLimit: 3_000, numRuns: 2_000 };

const arg = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const multibulk = fc.array(arg, { minLength: 1, maxLength: 20 });
/** What Redis itself would print as a quoted string. */
const quoted = arg.map((bytes) => `"${Array.from(bytes, escaped).join('')}"`);
/** Each request as it is sent, and the arguments that it means. */
const request: fc.Arbitrary<{ wire: Buffer; args: string[] | 'empty' }> = fc.oneof(
  multibulk.map((args) => ({ wire: encodeRequest(args), args: args.map(latin1) })),
  multibulk.map((args) => ({
    wire: Buffer.from(`${args.map((bytes) => `"${Array.from(bytes, escaped).join('')}"`).join(' ')}\r\n`),
    args: args.map(latin1),
  })),
  fc.constantFrom<{ wire: Buffer; args: 'empty' }>(
    { wire: Buffer.from('\r\n'), args: 'empty' },
    { wire: Buffer.from('*0\r\n'), args: 'empty' },
    { wire: Buffer.from('*-1\r\n'), args: 'empty' },
  ),
);
const stream = fc.array(request, { minLength: 1, maxLength: 6 });
/** Bytes that look like requests for a while. */
const nearlyRequests = fc
  .array(
    fc.constantFrom(
      '*',
      '$',
      '1',
      '2',
      '0',
      '-',
      '\r\n',
      '\r',
      '\n',
      ' ',
      '"',
      "'",
      '\\',
      'x',
      'PING',
      '\0',
      '\xff',
      '*1\r\n',
      '$4\r\n',
    ),
    {
      maxLength: 40,
    },
  )
  .map((parts) => Buffer.from(`${parts.join('')}.`, 'latin1'));

describe('RequestDecoder', () => {
  it('decodes requests to their arguments however the bytes are cut', () => {
    fc.assert(
      fc.property(stream, cuts, (requests, places) => {
        const wire = Buffer.concat(requests.map((sent) => sent.wire));
        expect(decodeChunks(cut(wire, places))).toEqual(requests.map((sent) => sent.args));
      }),
      TIME_BOX,
    );
  });

  it('agrees with redis-parser about every multibulk', () => {
    fc.assert(
      fc.property(fc.array(multibulk, { minLength: 1, maxLength: 6 }), cuts, (requests, places) => {
        const wire = Buffer.concat(requests.map((args) => encodeRequest(args)));
        expect(decodeChunks(cut(wire, places))).toEqual(parseWithOracle(wire));
      }),
      TIME_BOX,
    );
  });

  it('finds the end of a request over the limit however the bytes are cut', () => {
    fc.assert(
      fc.property(stream, cuts, fc.integer({ min: 1, max: 200 }), (requests, places, bigBytes) => {
        const wire = Buffer.concat(requests.map((sent) => sent.wire));
        const decoded = decodeChunks(cut(wire, places), { limits: { bigBytes } });
        expect(decoded).toHaveLength(requests.length);
        for (const [index, sent] of requests.entries()) {
          const result = decoded[index] as Decoded;
          if (typeof result === 'string' || !('big' in result)) expect(result).toEqual(sent.args);
          else
            expect(result).toEqual({ big: sent.args.slice(0, result.big.length), bytes: latin1(sent.wire) });
        }
      }),
      TIME_BOX,
    );
  });

  it('comes to the same requests or error for any bytes however they are cut', () => {
    fc.assert(
      fc.property(nearlyRequests, cuts, (bytes, places) => {
        expect(decodeChunks(cut(bytes, places))).toEqual(decodeChunks([bytes]));
      }),
      { ...TIME_BOX, numRuns: 5_000 },
    );
  });

  it('takes the same error out of a request over the limit as out of one below it', () => {
    fc.assert(
      fc.property(nearlyRequests, cuts, (bytes, places) => {
        const wire = Buffer.concat([Buffer.from('*4\r\n$1\r\nx\r\n$9\r\n123456789\r\n'), bytes]);
        const expected = decodeChunks([wire]).filter(isError);
        const small = { limits: { bigBytes: 8 } };
        expect(decodeChunks(cut(wire, places), small).filter(isError)).toEqual(expected);
      }),
      { ...TIME_BOX, numRuns: 5_000 },
    );
  });

  it('holds no more than what arrived, whatever is announced', () => {
    fc.assert(
      fc.property(nearlyRequests, fc.integer({ min: 1, max: 2_147_483_647 }), (bytes, count) => {
        const wire = Buffer.concat([Buffer.from(`*${count}\r\n`), bytes]);
        const decoder = new RequestDecoder(DEFAULT_REQUEST_LIMITS);
        for (let at = 0, end = 1; end <= wire.length; end += 1) {
          const result = decoder.next(wire, at, end);
          if (result === ERROR) break;
          if (result !== MORE) at = decoder.consumedTo;
        }
        expect(decoder.request.bounds.length).toBeLessThanOrEqual(32 + wire.length);
      }),
      TIME_BOX,
    );
  });

  it('splits what Redis would print as quoted strings into the same strings', () => {
    fc.assert(
      fc.property(fc.array(quoted, { minLength: 1, maxLength: 10 }), (words) => {
        const [args] = decodeChunks([Buffer.from(`${words.join(' ')}\n`)]);
        expect(
          (args as string[]).map((text) => `"${Array.from(Buffer.from(text, 'latin1'), escaped).join('')}"`),
        ).toEqual(words);
      }),
      TIME_BOX,
    );
  });
});

/** Redis's `sdscatrepr`, byte by byte. */
function escaped(byte: number): string {
  const char = String.fromCharCode(byte);
  const known: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\x07': '\\a' };
  if (char === '"' || char === '\\') return `\\${char}`;
  if (known[char] !== undefined) return known[char];
  return byte >= 32 && byte < 127 ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1');
}

function isError(result: Decoded): boolean {
  return typeof result === 'object' && 'error' in result;
}
