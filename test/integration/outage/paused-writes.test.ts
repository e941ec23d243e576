import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';

import { useOutages } from '../../support/outage-stage.ts';
import { say } from '../../support/sidecar.ts';

const PAUSE_MS = 3000;
const WRITERS = 10;

const stage = useOutages({
  flags:
    '--command-timeout 600ms --breaker-slow-call 400ms --breaker-open-time 200ms --link-dead-timeout 600ms --connect-timeout 300ms --reconnect-max 100ms',
});

describe('while Redis holds writes back for longer than a link may be silent', () => {
  test('what is hot is served all the time, and everything passes again behind it', async () => {
    const [app, direct] = [await stage.app(), await stage.direct()];
    await say(app, 'SET', 'hot', 'v');
    await stage.warm(app, 'GET', 'hot');
    await say(direct, 'CLIENT', 'PAUSE', String(PAUSE_MS), 'WRITE');
    const end = performance.now() + PAUSE_MS;
    // So many that one of them is the first on every new link, before any read.
    const writers = Array.from({ length: WRITERS }, async (_, i) => {
      const writer = await stage.app();
      while (performance.now() < end) {
        await say(writer, 'SET', `other:${i}`, '1');
        await delay(1);
      }
    });
    const heard = new Map<string, number>();
    while (performance.now() < end) {
      const answer = await say(app, 'GET', 'hot');
      heard.set(answer, (heard.get(answer) ?? 0) + 1);
      await delay(5);
    }
    expect([...heard.keys()]).toEqual(['v']);
    await Promise.all(writers);
    await stage.back();
    expect(await say(app, 'SET', 'hot', 'w')).toBe('+OK');
  });
});
