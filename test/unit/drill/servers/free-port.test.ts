import { afterEach, expect, test } from 'vitest';

import { freePorts, lookInPart } from '../../../../src/drill/servers/free-port.ts';

afterEach(() => lookInPart(0, 1));

test('no two ports are the same, and systems give them to nobody who connects', async () => {
  const ports = await freePorts(50);
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) expect(port >= 10_000 && port < 20_000, String(port)).toBe(true);
});

test('who looks in one part finds nothing of another', async () => {
  for (const part of [0, 1, 2, 3]) {
    lookInPart(part, 4);
    for (const port of await freePorts(20))
      expect(Math.floor((port - 10_000) / 2500), String(port)).toBe(part);
  }
});
