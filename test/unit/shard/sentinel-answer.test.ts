import { describe, expect, it } from 'vitest';

import { questionsAbout, readAnswer } from '../../../src/shard/sentinel-answer.ts';

interface Told {
  epoch?: number;
  epochBefore?: number;
  flags?: string;
  primaryPort?: number;
  replica?: Record<string, string>;
}

function replies(told: Told = {}): unknown[] {
  const { epoch = 3, epochBefore = epoch, flags = 'master', primaryPort = 1, replica = {} } = told;
  const primary = (at: number): string[] => fields({ ip: 'h', port: '1', flags, 'config-epoch': String(at) });
  const healthy = { ip: 'r', port: '2', flags: 'slave', 'master-link-status': 'ok' };
  return [
    'me',
    primary(epochBefore),
    ['h', String(primaryPort)],
    [fields({ ...healthy, ...replica })],
    [fields({ ip: 'o', port: '26379', runid: 'other' })],
    primary(epoch),
  ];
}

function fields(record: Record<string, string>): string[] {
  return Object.entries(record).flat();
}

describe('an answer of a sentinel', () => {
  it('has a reply for each question', () => {
    expect(replies().length).toBe(questionsAbout('name').length);
    expect(readAnswer(replies(), 7)).toEqual({
      id: 'me',
      askedAt: 7,
      primary: { host: 'h', port: 1 },
      epoch: 3,
      isDoubted: false,
      replicas: [{ host: 'r', port: 2 }],
      others: [{ host: 'o', port: 26_379, id: 'other' }],
    });
  });

  it('is none when the epoch changed between the questions', () => {
    expect(readAnswer(replies({ epochBefore: 2 }), 0)).toBeUndefined();
  });

  it.each(['master,s_down', 'master,s_down,o_down', 'master,failover_in_progress'])(
    'is in doubt with the flags %s',
    (flags) => expect(readAnswer(replies({ flags }), 0)?.isDoubted).toBe(true),
  );

  it('is in no doubt of a new primary for the flags of the old one', () => {
    const answer = readAnswer(replies({ flags: 'master,s_down,failover_in_progress', primaryPort: 5 }), 0);
    expect(answer).toMatchObject({ primary: { port: 5 }, isDoubted: false });
  });

  it.each([
    { flags: 'slave,s_down' },
    { flags: 'slave,disconnected' },
    { 'master-link-status': 'err' },
    { 'replica-announced': '0' },
  ])('leaves out a replica with %o', (replica) => {
    expect(readAnswer(replies({ replica }), 0)?.replicas).toEqual([]);
  });

  it('leaves out the replica that has become the primary', () => {
    const replica = { ip: 'h', port: '5' };
    expect(readAnswer(replies({ primaryPort: 5, replica }), 0)?.replicas).toEqual([]);
  });

  it.each([[[]], [['me', [], null, [], [], []]], [[1, 2, 3, 4, 5, 6]], [['me', [], ['h', '1'], [], [], []]]])(
    'is refused when it is %j',
    (wrong) => expect(() => readAnswer(wrong, 0)).toThrow(/it does not answer|no config-epoch/),
  );
});
