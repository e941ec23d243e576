import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { ClusterView } from '../../src/route/cluster-nodes.ts';
import { SLOTS } from '../../src/route/hash-slot.ts';
import { SlotMap } from '../../src/route/slot-map.ts';
import { clusterView, portOfNode } from '../support/cluster-view.ts';

const NAMES = ['a', 'b', 'c', 'd'];
/** The slots that change hands; the rest of them belong to nobody. */
const USED = 24;
const WINDOW_MS = 3;

/** Who owns each used slot, and each node's config epoch. */
interface State {
  readonly owners: readonly (string | undefined)[];
  readonly epochs: Readonly<Record<string, number>>;
}

/** A node takes slots over, with the highest epoch of all, as by failover or by the end of a migration. */
interface Takeover {
  readonly taker: string;
  readonly first: number;
  readonly count: number;
}

const someName = fc.constantFrom(...NAMES);
const someSlot = fc.integer({ min: 0, max: USED - 1 });
const someHistory = fc.array(
  fc.record({ taker: someName, first: someSlot, count: fc.integer({ min: 1, max: USED }) }),
  { minLength: 1, maxLength: 12 },
);

/** Every state that the cluster has been in, the newest last. In the first a few slots have no owner. */
function statesOf(history: readonly Takeover[]): State[] {
  const owners = Array.from({ length: USED }, (_, slot) => (slot % 6 === 5 ? undefined : NAMES[slot % 4]));
  let state: State = { owners, epochs: { a: 1, b: 2, c: 3, d: 4 } };
  return [
    state,
    ...history.map(({ taker, first, count }, i) => {
      const isTaken = (slot: number): boolean => slot >= first && slot < first + count;
      state = {
        owners: state.owners.map((owner, slot) => (isTaken(slot) ? taker : owner)),
        epochs: { ...state.epochs, [taker]: 5 + i },
      };
      return state;
    }),
  ];
}

/** What a node says that has heard of a state, and of no later one. */
function viewIn(state: State, witness: string, movingSlots: readonly number[] = []): ClusterView {
  const names = [witness, ...NAMES.filter((name) => name !== witness)];
  return clusterView(
    names.map((name) => ({
      name,
      epoch: state.epochs[name] as number,
      slots: state.owners.flatMap((owner, slot) => (owner === name ? [[slot, slot] as const] : [])),
    })),
    movingSlots,
  );
}

function newMap(): SlotMap {
  return new SlotMap({ redirectWindowMs: WINDOW_MS, viewLifeMs: 1_000_000 });
}

function ownersIn(map: SlotMap): (string | undefined)[] {
  return Array.from({ length: USED }, (_, slot) => {
    const port = map.ownerOf(slot)?.port;
    return port === undefined ? undefined : String.fromCharCode(port - 7000);
  });
}

test('whatever the order of views, slots go to the highest epochs that any of them knows', () => {
  const someViews = someHistory.chain((history) =>
    fc.record({
      states: fc.constant(statesOf(history)),
      // How far each view is behind, newer ones included: time does not tell who knows more.
      lags: fc.array(fc.record({ witness: someName, behind: fc.nat({ max: history.length }) }), {
        maxLength: 10,
      }),
      best: someName,
      bestAt: fc.nat({ max: 10 }),
      orders: fc.infiniteStream(fc.nat()).map((stream) => [...stream.take(40)]),
    }),
  );

  fc.assert(
    fc.property(someViews, ({ states, lags, best, bestAt, orders }) => {
      const last = states.at(-1) as State;
      // A node does not forget: what the best informed one says last is its newest view.
      const views = lags
        .filter(({ witness }) => witness !== best)
        .map(({ witness, behind }, i) => ({
          view: viewIn(states[states.length - 1 - behind] as State, witness),
          at: i,
        }));
      views.push({ view: viewIn(last, best), at: bestAt + 0.5 });
      const map = newMap();
      const shuffled = views
        .map((dated, i) => ({ ...dated, key: orders[i] as number }))
        .toSorted((x, y) => x.key - y.key);

      for (const { view, at } of shuffled) map.apply(view, at);

      expect(ownersIn(map)).toEqual(last.owners);
      expect(map.ownedSlots).toBe(last.owners.filter((owner) => owner !== undefined).length);
    }),
    { numRuns: 300 },
  );
});

test('any two orders of the same views give the same map', () => {
  const someViews = someHistory.chain((history) =>
    fc
      .array(fc.record({ witness: someName, behind: fc.nat({ max: history.length }) }), { maxLength: 10 })
      .map((lags) =>
        lags.map(({ witness, behind }, at) => ({
          view: viewIn(statesOf(history)[history.length - behind] as State, witness),
          at,
        })),
      ),
  );
  const twoOrders = someViews.chain((views) =>
    fc.tuple(
      fc.shuffledSubarray(views, { minLength: views.length }),
      fc.shuffledSubarray(views, { minLength: views.length }),
    ),
  );

  fc.assert(
    fc.property(twoOrders, (orders) => {
      const [one, other] = orders.map((views) => {
        const map = newMap();
        for (const { view, at } of views) map.apply(view, at);
        return ownersIn(map);
      });
      expect(one).toEqual(other);
    }),
    { numRuns: 200 },
  );
});

type Step =
  | {
      readonly do: 'view';
      readonly witness: string;
      readonly behind: number;
      readonly moving: readonly number[];
    }
  | { readonly do: 'moved'; readonly slot: number; readonly to: string }
  | { readonly do: 'asked'; readonly slot: number };

const someSteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('view' as const),
      witness: someName,
      behind: fc.nat({ max: 4 }),
      moving: fc.uniqueArray(someSlot, { maxLength: 3 }),
    }),
    // An owner that no view knows is among them.
    fc.record({ do: fc.constant('moved' as const), slot: someSlot, to: fc.constantFrom(...NAMES, 'e') }),
    fc.record({ do: fc.constant('asked' as const), slot: someSlot }),
  ),
  { maxLength: 40 },
);

function run(map: SlotMap, step: Step, states: readonly State[], now: number): void {
  if (step.do === 'asked') return map.asked(step.slot, now);
  if (step.do === 'moved') return void map.moved(step.slot, '127.0.0.1', portOfNode(step.to), now);
  const newest = Math.min(now, states.length - 1);
  map.apply(viewIn(states[Math.max(0, newest - step.behind)] as State, step.witness, step.moving), now);
}

test('no incarnation of a slot outlives its owner, nor the beginning or the end of a move', () => {
  fc.assert(
    fc.property(someHistory, someSteps, (history, steps) => {
      const states = statesOf(history);
      const map = newMap();
      const used = Array.from({ length: USED }, (_, slot) => new Set([map.incarnationOf(slot)]));
      for (const [now, step] of steps.entries()) {
        const before = Array.from({ length: USED }, (_, slot) => ({
          owner: map.ownerOf(slot),
          incarnation: map.incarnationOf(slot),
          isMoving: map.isMoving(slot, now),
        }));
        const { version } = map;

        run(map, step, states, now);

        let changed = 0;
        for (const [slot, was] of before.entries()) {
          const incarnation = map.incarnationOf(slot);
          const hasNewOwner = map.ownerOf(slot) !== was.owner;
          if (hasNewOwner) changed++;
          const hasTurned = map.isMoving(slot, now) !== was.isMoving;
          if (hasNewOwner || hasTurned) expect(incarnation).not.toBe(was.incarnation);
          // An entry of an earlier time is never reachable again.
          if (incarnation !== was.incarnation) expect(used[slot]).not.toContain(incarnation);
          used[slot]?.add(incarnation);
        }
        expect(map.version > version).toBe(changed > 0);
        expect(map.ownedSlots).toBe(ownersIn(map).filter((owner) => owner !== undefined).length);
      }
    }),
    { numRuns: 300 },
  );
});

test('an entry that was cached before a redirect is never found after it', () => {
  fc.assert(
    fc.property(someHistory, someSteps, (history, steps) => {
      const states = statesOf(history);
      const map = newMap();
      /** What a reader would have cached at each time, by the rule of `SlotMap`. */
      const cached = new Map<number, number>();
      for (const [now, step] of steps.entries()) {
        run(map, step, states, now);
        if (step.do !== 'view') {
          const found =
            !map.isMoving(step.slot, now) && cached.get(step.slot) === map.incarnationOf(step.slot);
          expect(found).toBe(false);
          expect(map.isMoving(step.slot, now)).toBe(true);
          cached.delete(step.slot);
        }
        for (let slot = 0; slot < USED; slot++) {
          if (map.isMoving(slot, now)) {
            // Nothing may be found now, nor anything of before when the move is over.
            expect(cached.get(slot)).not.toBe(map.incarnationOf(slot));
          } else {
            cached.set(slot, map.incarnationOf(slot));
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('slots that nobody claims have no owner', () => {
  const map = newMap();
  map.apply(viewIn(statesOf([])[0] as State, 'a'), 0);
  for (let slot = USED; slot < SLOTS; slot++) expect(map.ownerOf(slot)).toBeUndefined();
});
