import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { DelayLine } from '../../../../bench/load/delay-line.ts';

test('pieces come out in order, none before its time, all of them at last', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 5, noNaN: true }),
      fc.array(fc.record({ wait: fc.double({ min: 0, max: 3, noNaN: true }), pumps: fc.boolean() }), {
        maxLength: 50,
      }),
      (delayMs, steps) => {
        const out: number[] = [];
        const line = new DelayLine<number>(delayMs, (piece, tookMs) => {
          expect(tookMs).toBeGreaterThanOrEqual(delayMs - 1e-9);
          out.push(piece);
        });
        let now = 0;
        for (const [i, { wait, pumps }] of steps.entries()) {
          now += wait;
          line.push(i, now);
          if (pumps) line.pump(now);
        }
        line.pump(now + delayMs + 1);
        expect(out).toEqual(steps.map((_, i) => i));
      },
    ),
  );
});

test('pump tells how long until the next piece is due', () => {
  const line = new DelayLine<string>(1, () => {});
  expect(line.pump(0)).toBeUndefined();
  line.push('a', 10);
  expect(line.pump(10.25)).toBeCloseTo(0.75);
  expect(line.pump(11)).toBeUndefined();
});
