import { beforeEach, describe, expect, it } from 'vitest';

import { Drain } from '../../../src/session/drain.ts';
import type { Session } from '../../../src/session/session.ts';
import { SessionRegistry } from '../../../src/session/session-registry.ts';
import { SessionStats } from '../../../src/session/session-stats.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let registry: SessionRegistry;
let events: string[];
let drain: Drain;

beforeEach(() => {
  clock = new ManualClock();
  registry = new SessionRegistry();
  events = [];
  const listener = { close: () => void events.push('listener closed') };
  drain = new Drain({ serveMs: 500, closeMs: 2000 }, { clock, registry, listener });
});

function session(): Session {
  const made = {
    id: registry.nextId(),
    context: { stats: new SessionStats() },
    drain: () => void events.push('told'),
    close: () => void events.push('closed'),
  } as unknown as Session;
  registry.add(made);
  return made;
}

/** Starts; says when it is over. */
function run(): { isOver: boolean } {
  const state = { isOver: false };
  void (async () => {
    await drain.run(() => void events.push('served'));
    state.isOver = true;
  })();
  return state;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

describe('Drain', () => {
  it('is over at once when there is no session', async () => {
    const state = run();
    await settle();
    expect(events).toEqual(['listener closed', 'served']);
    expect(state.isOver).toBe(true);
  });

  it('serves until the last session has gone by itself', async () => {
    const [first, second] = [session(), session()];
    const state = run();
    await settle();
    expect([drain.state, events]).toEqual(['serving', []]);
    registry.remove(first);
    const third = session();
    registry.remove(second);
    await settle();
    expect(drain.state).toBe('serving');
    registry.remove(third);
    await settle();
    expect([state.isOver, events]).toEqual([true, ['listener closed', 'served']]);
  });

  it('tells the sessions after the time to serve, and closes what is left at the deadline', async () => {
    const first = session();
    session();
    const state = run();
    await settle();
    clock.advance(499);
    await settle();
    expect(drain.state).toBe('serving');
    clock.advance(1);
    await settle();
    expect([drain.state, events]).toEqual(['closing', ['listener closed', 'served', 'told', 'told']]);
    registry.remove(first);
    clock.advance(1499);
    await settle();
    expect(state.isOver).toBe(false);
    clock.advance(1);
    await settle();
    expect([state.isOver, events.at(-1), events.length]).toEqual([true, 'closed', 5]);
  });

  it.each(['before', 'meanwhile'])('does not serve any longer when told to hurry %s', async (when) => {
    const only = session();
    if (when === 'before') drain.hurry();
    const state = run();
    await settle();
    if (when === 'meanwhile') drain.hurry();
    await settle();
    expect(events).toEqual(['listener closed', 'served', 'told']);
    drain.hurry();
    await settle();
    expect(state.isOver).toBe(false);
    registry.remove(only);
    await settle();
    expect(state.isOver).toBe(true);
  });

  it('serves no longer than the deadline', async () => {
    drain = new Drain(
      { serveMs: 5000, closeMs: 100 },
      { clock, registry, listener: { close: () => undefined } },
    );
    session();
    const state = run();
    await settle();
    clock.advance(100);
    await settle();
    expect([state.isOver, events.at(-1)]).toEqual([true, 'closed']);
  });
});
