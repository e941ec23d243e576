import { beforeEach, describe, expect, it } from 'vitest';

import type { Identity } from '../../../src/shard/identity.ts';
import type { Session } from '../../../src/session/session.ts';
import { SessionRegistry } from '../../../src/session/session-registry.ts';
import { SessionStats } from '../../../src/session/session-stats.ts';

let registry: SessionRegistry;
let stats: SessionStats;
let closed: number[];

beforeEach(() => {
  registry = new SessionRegistry();
  stats = new SessionStats();
  closed = [];
});

/** As much of a session as a registry sees. */
function session(identity: Partial<Identity> = {}): Session {
  const id = registry.nextId();
  const seen = {
    id,
    context: { stats },
    user: { has: (other: unknown) => other === identity },
    close: () => closed.push(id),
  };
  return seen as unknown as Session;
}

describe('SessionRegistry', () => {
  it('finds a session by its id as long as it is open', () => {
    const added = session();
    registry.add(added);
    expect(registry.byId(added.id)).toBe(added);
    registry.remove(added);
    expect(registry.byId(added.id)).toBeUndefined();
  });

  it('gives ids from 1 on, none twice', () => {
    const first = session();
    registry.add(first);
    registry.remove(first);
    expect([first.id, session().id, session().id]).toEqual([1, 2, 3]);
  });

  it('counts the open ones for the metrics too', () => {
    const sessions = [session(), session()];
    for (const each of sessions) registry.add(each);
    expect(stats.open).toBe(2);
    registry.remove(sessions[0] as Session);
    expect(registry.size).toBe(1);
    expect(stats.open).toBe(1);
  });

  it('lists them in the order in which they came', () => {
    const sessions = [session(), session(), session()];
    for (const each of sessions) registry.add(each);
    expect([...registry.all()]).toEqual(sessions);
  });

  it('says when the last one is gone', () => {
    let isEmpty = false;
    registry.onEmpty = () => (isEmpty = true);
    const sessions = [session(), session()];
    for (const each of sessions) registry.add(each);
    registry.remove(sessions[0] as Session);
    expect(isEmpty).toBe(false);
    registry.remove(sessions[1] as Session);
    expect(isEmpty).toBe(true);
  });

  it('closes the sessions of one identity and no others', () => {
    const identity = {} as Identity;
    for (const each of [session(identity), session({}), session(identity)]) registry.add(each);
    registry.closeAllOf(identity);
    expect(closed).toEqual([1, 3]);
  });
});
