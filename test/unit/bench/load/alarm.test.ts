import { afterEach, expect, test } from 'vitest';

import { Alarm } from '../../../../bench/load/alarm.ts';

let alarm: Alarm | undefined;

afterEach(async () => {
  await alarm?.close();
});

test('an alarm rings once each time it is set, after the time and not before', async () => {
  let ring = (): void => {};
  let rings = 0;
  alarm = new Alarm(() => {
    rings++;
    ring();
  });
  for (const ms of [0.3, 0.3, 5, 0.05]) {
    const setAt = performance.now();
    await new Promise<void>((resolve) => {
      ring = resolve;
      alarm?.set(ms);
    });
    expect(performance.now() - setAt).toBeGreaterThanOrEqual(ms);
  }
  expect(rings).toBe(4);
});
