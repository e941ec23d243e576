import { describe, expect, it } from 'vitest';

import {
  instanceName,
  parseReport,
  readAttendance,
  reportName,
  seenOf,
} from '../../../src/route/ring-report.ts';

const report = { instance: 'one', from: '0f', to: 'f0', seen: 'abc.7', ack: 'held' } as const;

describe('the report of a nearcache', () => {
  it('reads back as it was named', () => {
    expect(parseReport(reportName(report))).toEqual(report);
    expect(parseReport('nearcache-ring/one/0f/f0/abc.7/asleep')).toBeUndefined();
    expect(parseReport('my-app')).toBeUndefined();
  });

  it('names the record that it is about', () => {
    expect(seenOf(undefined)).toBe('-');
    expect(seenOf({ id: 'abc', seq: 7, state: 'hold', from: '0f', to: 'f0', method: 'copy' })).toBe('abc.7');
  });
});

describe('who is connected to a shard', () => {
  it('is those that report, each connection of theirs, and those that do not', () => {
    const lines = [
      `id=1 addr=10.0.0.1:5 name=${reportName(report)} age=1`,
      `id=2 addr=10.0.0.1:6 name=${reportName({ ...report, ack: 'ready' })} age=9`,
      `id=3 addr=10.0.0.1:7 name=${instanceName('one')} age=1`,
      `id=4 addr=10.0.0.2:7 name=${instanceName('two')} age=1`,
      'id=5 addr=10.0.0.3:7 name=my-app age=1',
      'id=6 addr=10.0.0.3:8 name= age=1',
      'id=7 addr=10.0.0.1:9 name=nearcache age=1',
      'id=8 addr=[::1]:9 name=nearcache age=1',
    ];
    const { reports, silent } = readAttendance(lines.join('\n'));
    expect(reports.map(({ ack }) => ack)).toEqual(['held', 'ready']);
    expect([...silent]).toEqual(['two', 'nearcache@[::1]']);
  });
});
