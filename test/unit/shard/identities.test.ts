import { beforeEach, describe, expect, test } from 'vitest';

import type { CredentialSource, Credentials } from '../../../src/shard/credentials.ts';
import { Identities } from '../../../src/shard/identities.ts';
import type { Identity } from '../../../src/shard/identity.ts';
import type { ShardOptions } from '../../../src/shard/shard.ts';
import { ShardStats } from '../../../src/shard/shard-stats.ts';

const LINK_DEAD_MS = 1000;
const OWN_USER: Credentials = { user: 'sidecar', password: 'own' };

/** A shared or control connection of which only what it is told is seen. */
class FakeLink {
  isReady = false;
  server: object | undefined;
  inFlight = 0;
  silentMs = 0;
  busyAt = Number.NEGATIVE_INFINITY;
  readonly told: string[] = [];

  start = (): unknown => this.told.push('start');
  retryNow = (): unknown => this.told.push('retry');
  close = (): unknown => this.told.push('close');
  probe = (): unknown => this.told.push('probe');
  reset = (reason: string): unknown => this.told.push(`reset: ${reason}`);
  giveUp = (reason: string): unknown => this.told.push(`given up: ${reason}`);
  tick = (): void => undefined;
  isSilent = (_now: number, forMs: number): boolean => this.silentMs > forMs;
}

class FakeIdentity {
  sessions = 0;
  readonly shared = new FakeLink();
  readonly control = new FakeLink();
  readonly pinned = new FakeLink();
  readonly subscriber = Object.assign(new FakeLink(), { isUsed: false });
  readonly user: string;
  readonly source: CredentialSource;
  credentials: Credentials;
  readonly isPassing: boolean;

  constructor(...[user, source, credentials, isPassing]: [string, CredentialSource, Credentials, boolean]) {
    this.user = user;
    this.source = source;
    this.credentials = credentials;
    this.isPassing = isPassing;
  }

  get links(): FakeLink[] {
    return [this.shared, this.control, this.pinned, this.subscriber];
  }

  get isClosed(): boolean {
    return this.links.every(({ told }) => told.includes('close'));
  }
}

let stats: ShardStats;
let identities: Identities;
let own: FakeIdentity;

beforeEach(() => {
  stats = new ShardStats();
  const options = { credentials: () => OWN_USER, identitiesMax: 2, linkDeadMs: LINK_DEAD_MS };
  identities = new Identities(
    options as unknown as ShardOptions,
    stats,
    (...given) => new FakeIdentity(...given) as unknown as Identity,
  );
  own = seen(identities.own) as FakeIdentity;
});

function seen(identity: Identity | undefined): FakeIdentity | undefined {
  return identity as unknown as FakeIdentity | undefined;
}

function enter(user: string, password = 'pw'): FakeIdentity | undefined {
  const identity = seen(identities.of(user, { user, password }));
  if (identity !== undefined) identity.sessions++;
  return identity;
}

function addPassing(user: string): FakeIdentity {
  const identity = seen(identities.addPassing(user, { user, password: 'pw' })) as FakeIdentity;
  identity.sessions++;
  return identity;
}

function users(): string[] {
  return Array.from(identities, ({ user }) => user);
}

describe('the identity of a user', () => {
  test.each<[string, Credentials]>([
    ['sidecar', OWN_USER],
    ['sidecar', { user: Buffer.from('sidecar'), password: 'own' }],
    ['default', { user: undefined, password: undefined }],
  ])('is the own one for the own user %s, once its link has shown who that is', (user, credentials) => {
    own.credentials = credentials;
    own.shared.isReady = true;
    expect(enter(user)).toBe(own);
    own.shared.isReady = false;
    expect(enter(user)).not.toBe(own);
  });

  test('is one for all its sessions, started when the first of them logs in', () => {
    const first = enter('a');
    expect(first?.shared.told).toEqual(['start']);
    expect(enter('a')).toBe(first);
    expect(enter('b')).not.toBe(first);
  });

  test('connects with the newest credentials that were accepted, at once', () => {
    const identity = enter('a', 'old');
    enter('a', 'new');
    expect(identity?.source()).toEqual({ user: 'a', password: 'new' });
    expect(identity?.shared.told).toEqual(['start', 'retry']);
    expect(identity?.control.told).toEqual(['retry']);
  });

  test('is refused beyond the limit while all others are in use', () => {
    enter('a');
    enter('b');
    expect(enter('c')).toBeUndefined();
    expect(users()).toEqual(['default', 'a', 'b']);
  });

  test('takes the place of one that no session and no subscription uses', () => {
    const subscribed = enter('a') as FakeIdentity;
    const unused = enter('b') as FakeIdentity;
    subscribed.sessions = 0;
    subscribed.subscriber.isUsed = true;
    unused.sessions = 0;
    expect(enter('c')).toBeDefined();
    expect([subscribed.isClosed, unused.isClosed]).toEqual([false, true]);
    expect(users()).toEqual(['default', 'a', 'c']);
  });
});

describe('a passing identity', () => {
  test('is one session’s alone, without a shared connection, and no source of the near-cache', () => {
    const first = addPassing('a');
    expect(addPassing('a')).not.toBe(first);
    expect(first.shared.told).toEqual([]);
    expect(identities.hasSeveralSources).toBe(false);
    enter('b');
    expect(identities.hasSeveralSources).toBe(true);
    expect(users()).toEqual(['default', 'b', 'a', 'a']);
  });

  test('stays for what it has subscribed to, and goes by the next tick after that', () => {
    const identity = addPassing('a');
    identity.subscriber.isUsed = true;
    identity.sessions = 0;
    identities.forget(identity as unknown as Identity);
    identities.tick(0);
    expect(identity.isClosed).toBe(false);
    identity.subscriber.isUsed = false;
    identities.tick(0);
    expect(identity.isClosed).toBe(true);
    expect(users()).toEqual(['default']);
  });

  test('stays at a tick while its session does', () => {
    addPassing('a');
    identities.tick(0);
    expect(users()).toEqual(['default', 'a']);
  });
});

describe('all identities', () => {
  test('tell of the server what any of them has learnt, and lend a link that is usable', () => {
    const other = enter('a') as FakeIdentity;
    expect(identities.server).toBeUndefined();
    expect(identities.anyLink).toBe(own.shared);
    other.shared.server = {};
    other.shared.isReady = true;
    expect(identities.server).toBe(other.shared.server);
    expect(identities.anyLink).toBe(other.shared);
  });

  test('lose every link at once, and connect again those that are always there', () => {
    const passing = addPassing('a');
    identities.reset('gone');
    for (const { shared, control, pinned, subscriber } of [own, passing]) {
      for (const link of [shared, control]) expect(link.told).toEqual(['reset: gone', 'retry']);
      for (const link of [pinned, subscriber]) expect(link.told).toEqual(['close']);
    }
  });

  test('are counted: commands in flight at each tick, connections until they close', () => {
    const other = enter('a') as FakeIdentity;
    own.shared.inFlight = 2;
    other.shared.inFlight = 3;
    identities.tick(0);
    expect(stats.inFlight).toBe(5);
    own.shared.isReady = other.control.isReady = true;
    stats.sharedConnections = 1;
    stats.controlConnections = 1;
    identities.close();
    expect([own.isClosed, other.isClosed]).toEqual([true, true]);
    expect([stats.sharedConnections, stats.controlConnections]).toEqual([0, 0]);
  });
});

describe('a link that is silent', () => {
  const NOW = 10 * LINK_DEAD_MS;
  const DEAD = `no byte received for ${LINK_DEAD_MS} ms`;

  test.each([
    ['is left alone for half of the time', LINK_DEAD_MS / 2, []],
    ['has the control connection asked after that', LINK_DEAD_MS / 2 + 1, ['probe']],
    ['has the control connection asked until the time is over', LINK_DEAD_MS, ['probe']],
  ])('%s', (_title, silentMs, told) => {
    own.shared.silentMs = silentMs;
    identities.tick(NOW);
    expect(own.control.told).toEqual(told);
    expect(own.shared.told).toEqual([]);
  });

  test('is dead when the time is over, unless Redis has said in the meantime that a script runs', () => {
    own.shared.silentMs = LINK_DEAD_MS + 1;
    own.control.busyAt = NOW - LINK_DEAD_MS;
    identities.tick(NOW);
    expect(own.shared.told).toEqual([]);
    identities.tick(NOW + 1);
    expect(own.shared.told).toEqual([`given up: ${DEAD}`]);
  });

  test('is dead when it is the control connection, whatever the other one hears', () => {
    own.control.silentMs = LINK_DEAD_MS + 1;
    identities.tick(NOW);
    expect(own.control.told).toEqual([`reset: ${DEAD}`]);
    expect(own.shared.told).toEqual([]);
  });
});
