import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';

import { resolve } from '../../../src/command/table.ts';
import { Relay } from '../../../src/session/relay.ts';
import type { PinnedConnection } from '../../../src/shard/pinned-connection.ts';
import { requestOf } from '../../support/request-of.ts';

let relay: Relay;
let written: string[];

beforeEach(() => {
  relay = new Relay();
  written = [];
});

function send(...args: readonly string[]): boolean {
  const write = (buffer: Buffer, start: number, end: number): void => {
    written.push(buffer.toString('latin1', start, end));
  };
  const request = requestOf(...args);
  return relay.send({ connection: { write } } as unknown as PinnedConnection, request, resolve(request));
}

/** Pass a frame on in pieces; what each was answered. */
function pass(frame: string, cuts: readonly number[]): boolean[] {
  const places = [...new Set(cuts.map((cut) => cut % frame.length))].filter((place) => place > 0);
  const ends = [...places.toSorted((a, b) => a - b), frame.length];
  return ends.map((end, index) => {
    const start = ends[index - 1] ?? 0;
    const buffer = Buffer.from(`?${frame}?`, 'latin1');
    return relay.endsWith(buffer, start + 1, end + 1, end === frame.length);
  });
}

describe('Relay', () => {
  it('sends every request on, but none behind a RESET or QUIT', () => {
    expect([send('PING'), send('RESET', 'x'), send('QUIT'), send('PING'), send('RESET')]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(written).toHaveLength(3);
    expect(relay.isQuitting).toBe(true);
  });

  it('lets CLIENT REPLY SKIP go with the next request, but not silence the reply to RESET', () => {
    send('CLIENT', 'REPLY', 'SKIP');
    expect(written).toEqual([]);
    send('PING');
    expect(written).toHaveLength(2);
    send('client', 'reply', 'skip');
    send('RESET');
    expect(written).toHaveLength(3);
  });

  it('swallows what would turn the connection into a replication link', () => {
    expect(send('PSYNC', '?', '-1')).toBe(true);
    expect(written).toEqual([]);
  });

  it('is over with the reply to RESET and no other frame, however they are cut', () => {
    const frame = fc.oneof(
      fc.constantFrom(
        '+RESET\r\n',
        '+RESETS\r\n',
        '+RESE\r\n',
        '+OK\r\n',
        '$7\r\n+RESET\r\r\n',
        '-RESET\r\n',
      ),
      fc.string({ maxLength: 30 }).map((text) => `$${text.length}\r\n${text}\r\n`),
    );
    const cuts = fc.array(fc.nat(), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(fc.tuple(frame, cuts), { maxLength: 10 }), (frames) => {
        relay = new Relay();
        send('RESET');
        for (const [text, places] of frames) {
          const answers = pass(text, places);
          expect(answers.at(-1)).toBe(text === '+RESET\r\n');
          expect(answers.slice(0, -1)).not.toContain(true);
        }
      }),
      { interruptAfterTimeLimit: 2000 },
    );
  });

  it('takes +RESET for nothing special before a RESET was sent', () => {
    expect(pass('+RESET\r\n', [])).toEqual([false]);
  });
});
