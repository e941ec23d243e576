import { describe, expect, it } from 'vitest';

import { nextRecord, parseRecord, printRecord, type RingRecord } from '../../../src/route/ring-record.ts';

const record: RingRecord = { id: 'abc', seq: 7, state: 'hold', from: '0f', to: 'f0', method: 'copy' };

describe('the record of a ring', () => {
  it('reads back as it was printed', () => {
    expect(parseRecord(printRecord(record))).toEqual(record);
  });

  it('counts its steps', () => {
    expect(nextRecord(record, 'migrating')).toEqual({ ...record, state: 'migrating', seq: 8 });
  });

  it('is not read from anything else', () => {
    for (const line of [
      '',
      'v2 abc 7 hold 0f f0 copy',
      'v1 abc 7 held 0f f0 copy',
      'v1 abc 7 hold 0f f0 scp',
    ]) {
      expect(parseRecord(line)).toBeUndefined();
    }
  });
});
