import { beforeEach, expect, test } from 'vitest';

import { Flight } from '../../../src/cache/flight.ts';
import { Flights } from '../../../src/cache/flights.ts';
import type { EntryId } from '../../../src/cache/store.ts';
import { nearCacheOf, trackingGeneration } from '../../support/near-caches.ts';
import { idOf } from '../../support/store-entry.ts';

const generation = trackingGeneration();
const { policies } = nearCacheOf();

let flights: Flights;

beforeEach(() => {
  flights = new Flights();
});

function flightOf(key: string, { args = '', sentAt = 0, isShared = true, isJoined = false } = {}): Flight {
  const id = idOf(key, { args });
  const policy = policies.of(id.bytes, id.keyStart, id.keyEnd);
  const flight = new Flight(id, key, { generation, sentAt, policy, maxTtlMs: 1000 });
  if (isShared) flight.read = { id, sentAt, isOpen: true, isJoined };
  flights.add(flight);
  return flight;
}

function found(key: string, args = '', since = 0): unknown {
  return flights.find(key, idOf(key, { args }), since);
}

test('the newest read that asks the same is found, whatever else is on its way for the key', () => {
  const older = flightOf('k');
  const newer = flightOf('k', { sentAt: 1 });
  const other = flightOf('k', { args: 'x' });
  flightOf('k', { isShared: false });
  flightOf('other');
  expect(found('k')).toBe(newer.read);
  expect(found('k', 'x')).toBe(other.read);
  expect(found('k', 'y')).toBeUndefined();
  flights.remove(newer);
  expect(found('k')).toBe(older.read);
});

test('a read that was sent too long ago is not found', () => {
  flightOf('k', { sentAt: 5 });
  expect(found('k', '', 5)).toBeDefined();
  expect(found('k', '', 6)).toBeUndefined();
});

test('a read of which something has come or failed is not found', () => {
  const flight = flightOf('k');
  flight.read = { id: flight.id, sentAt: 0, isOpen: false, isJoined: false };
  expect(found('k')).toBeUndefined();
});

test('what is taken out in any order leaves the others', () => {
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]) {
    const all = ['a', 'b', 'c'].map((args) => flightOf('k', { args }));
    const left = new Set([0, 1, 2]);
    for (const at of order) {
      flights.remove(all[at] as Flight);
      left.delete(at);
      expect(['a', 'b', 'c'].map((args) => found('k', args) !== undefined)).toEqual(
        [0, 1, 2].map((each) => left.has(each)),
      );
    }
  }
});

test('to take out what is not there, or no longer, changes nothing', () => {
  const gone = flightOf('k', { args: 'gone' });
  const stays = flightOf('k');
  flights.remove(gone);
  flights.remove(gone);
  expect(found('k')).toBe(stays.read);
  flights.end('k');
  flights.remove(stays);
  const next = flightOf('k');
  flights.remove(stays);
  expect(found('k')).toBe(next.read);
});

test('to end a key ends all its flights, those that share nothing too, and no other', () => {
  const ended = [flightOf('k'), flightOf('k', { args: 'x' }), flightOf('k', { isShared: false })];
  const other = flightOf('other');
  flights.end('k');
  flights.end('never seen');
  expect(ended.map(({ isLive }) => isLive)).toEqual([false, false, false]);
  expect(found('k')).toBeUndefined();
  expect(other.isLive).toBe(true);
  expect(found('other')).toBe(other.read);
});

test('to end everything leaves nothing', () => {
  const all = [flightOf('a'), flightOf('a', { args: 'x' }), flightOf('b')];
  flights.endAll();
  expect(all.map(({ isLive }) => isLive)).toEqual([false, false, false]);
  expect([found('a'), found('b')]).toEqual([undefined, undefined]);
});

test('a flight that comes after the end is found and lives', () => {
  flightOf('k');
  flights.end('k');
  const flight = flightOf('k');
  expect(flight.isLive).toBe(true);
  expect(found('k')).toBe(flight.read);
});

test('a command is in use while somebody has joined its read by the key alone, in that database and over that link', () => {
  const inUse = (id: EntryId): number => flights.commandInUse('k', id);
  const plain = flightOf('k');
  const { id } = plain;
  flightOf('k', { args: 'x', isJoined: true });
  flightOf('other', { isJoined: true });
  flightOf('k', { isShared: false });
  expect(inUse(id)).toBe(-1);
  plain.read = { id, sentAt: 0, isOpen: true, isJoined: true };
  expect(inUse(id)).toBe(id.commandId);
  expect(inUse({ ...id, db: id.db + 1 })).toBe(-1);
  expect(inUse({ ...id, fence: id.fence + 1 })).toBe(-1);
  // As one of several that a call asks for.
  plain.read = { id: idOf('k and others'), sentAt: 0, isOpen: true, isJoined: true };
  expect(inUse(id)).toBe(-1);
});
