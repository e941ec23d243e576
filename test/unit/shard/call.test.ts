import { beforeEach, describe, expect, it } from 'vitest';

import { type CallFailure, OwnCall } from '../../../src/shard/call.ts';

let heard: (string | CallFailure | undefined)[];
let call: OwnCall;

beforeEach(() => {
  heard = [];
  call = new OwnCall((reply, failure) => heard.push(reply === undefined ? failure : String(reply)), 100);
});

function give(chunk: string, last: boolean): void {
  const buffer = Buffer.from(`??${chunk}??`);
  call.reply(buffer, 2, 2 + chunk.length, last);
  buffer.fill('x');
}

describe('OwnCall', () => {
  it('hands over the whole reply, and owns its bytes', () => {
    give('+OK\r\n', true);
    expect(heard).toEqual(['+OK\r\n']);
  });

  it('joins a reply that came in pieces', () => {
    give('$5\r\nab', false);
    give('cd', false);
    expect(heard).toEqual([]);
    give('e\r\n', true);
    expect(heard).toEqual(['$5\r\nabcde\r\n']);
  });

  it('hands over a failure', () => {
    const failure: CallFailure = { kind: 'lost', reason: 'gone' };
    call.fail(failure);
    expect(heard).toEqual([failure]);
  });

  it('says nothing more after a time-out, whatever comes', () => {
    const timeout: CallFailure = { kind: 'timeout', reason: 'late' };
    call.fail(timeout);
    call.hasTimedOut = true;
    give('+OK\r\n', true);
    call.fail({ kind: 'lost', reason: 'gone' });
    expect(heard).toEqual([timeout]);
  });
});
