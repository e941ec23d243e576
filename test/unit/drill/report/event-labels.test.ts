import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { placeLabels } from '../../../../src/drill/report/event-labels.ts';

const room = { left: 0, right: 1000, lanesMax: 4, fontSize: 11 };

const events = fc
  .array(
    fc.record({ x: fc.integer({ min: 40, max: 1000 }), text: fc.string({ minLength: 1, maxLength: 30 }) }),
    {
      maxLength: 60,
    },
  )
  .map((all) => all.toSorted((a, b) => a.x - b.x));

test('no label covers another, or the line of another event, or ends outside', () => {
  fc.assert(
    fc.property(events, (all) => {
      const xs = all.map(({ x }) => x);
      const { lanes, labels } = placeLabels(
        xs,
        all.map(({ text }) => text),
        room,
      );
      const placed = labels.flatMap((label, i) =>
        label === undefined ? [] : [{ ...label, line: xs[i] as number }],
      );
      for (const [i, one] of placed.entries()) {
        expect(one.x).toBeGreaterThanOrEqual(room.left);
        expect(one.x + one.width).toBeLessThanOrEqual(room.right);
        expect(one.lane).toBeLessThan(lanes);
        for (const other of placed.slice(i + 1)) {
          const isApart = one.x + one.width <= other.x || other.x + other.width <= one.x;
          expect(isApart || one.lane !== other.lane).toBe(true);
          // The line of an event runs from its label down.
          if (other.lane <= one.lane)
            expect(other.line <= one.x || other.line >= one.x + one.width).toBe(true);
          if (one.lane <= other.lane)
            expect(one.line <= other.x || one.line >= other.x + other.width).toBe(true);
        }
      }
    }),
  );
});

test('labels are whole while there is room, and numbers when there is not', () => {
  const few = placeLabels([100, 600], ['shard1 stopped', 'shard1 started'], room);
  expect(few.labels.map((label) => label?.text)).toEqual(['1 shard1 stopped', '2 shard1 started']);
  expect(few.lanes).toBe(1);
  const xs = Array.from({ length: 30 }, (_, i) => 100 + i * 25);
  const many = placeLabels(
    xs,
    xs.map(() => 'shard1 stopped'),
    room,
  );
  expect(many.labels.map((label) => label?.text)).toEqual(xs.map((_, i) => String(i + 1)));
});

test('labels of events that are close stand below each other', () => {
  const { labels, lanes } = placeLabels([100, 110, 120], ['one', 'two', 'three'], room);
  expect(labels.map((label) => label?.lane)).toEqual([0, 1, 2]);
  expect(lanes).toBe(3);
});

test('without events no room is taken', () => {
  expect(placeLabels([], [], room)).toEqual({ lanes: 0, labels: [] });
});
