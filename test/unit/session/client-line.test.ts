import { describe, expect, it } from 'vitest';

import { clientLine } from '../../../src/session/client-line.ts';
import type { Session } from '../../../src/session/session.ts';

/** As much of a session as the line tells. */
function line(more: object = {}): string {
  const session = {
    id: 7,
    address: '127.0.0.1:50000',
    localAddress: '127.0.0.1:6379',
    name: 'app',
    createdAt: 1000,
    lastActiveAt: 63_999,
    db: 3,
    proto: 3,
    backlog: 12,
    lastCommand: 'client|list',
    user: { name: 'default' },
    pin: { isBlocking: false },
    subscription: { count: 0, channels: 1, patterns: 2, shardChannels: 0 },
    context: { clock: { now: () => 65_000 } },
    ...more,
  };
  return clientLine(session as unknown as Session);
}

function field(text: string, name: string): string | undefined {
  return new RegExp(`(?:^| )${name}=([^ ]*)`).exec(text)?.[1];
}

describe('clientLine', () => {
  it('has the fields of Redis 7.0, in its order', () => {
    const names = line()
      .split(' ')
      .map((part) => part.split('=')[0]);
    expect(names.join(' ')).toBe(
      'id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll ' +
        'omem tot-mem events cmd user redir resp',
    );
  });

  it('tells who the session is and what it holds', () => {
    const text = line();
    expect(text).toMatch(/^id=7 addr=127\.0\.0\.1:50000 laddr=127\.0\.0\.1:6379 /);
    const told = ['name', 'db', 'sub', 'psub', 'cmd', 'user', 'resp', 'omem'].map((name) =>
      field(text, name),
    );
    expect(told).toEqual(['app', '3', '1', '2', 'client|list', 'default', '3', '12']);
  });

  it('counts age and idle time in whole seconds', () => {
    expect([field(line(), 'age'), field(line(), 'idle')]).toEqual(['64', '1']);
  });

  it.each([
    ['N', {}],
    ['P', { subscription: { count: 1 } }],
    ['b', { pin: { isBlocking: true } }],
    ['U', { localAddress: 'unix:0' }],
    ['PU', { subscription: { count: 1 }, localAddress: 'unix:0' }],
  ])('has the flags %s', (flags, more) => {
    expect(field(line(more), 'flags')).toBe(flags);
  });
});
