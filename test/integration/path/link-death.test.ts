// DESIGN rule 8: a link counts as dead by the time since its last byte, and not while a script keeps Redis busy.
import { afterEach, expect, test } from 'vitest';

import { STAY_BUSY } from '../../support/busy-script.ts';
import { say, Sidecar, until } from '../../support/sidecar.ts';

const BYTES = 8_388_608;
/** Nothing stalls for as long, also where the machine is busy. */
const LINK_DEAD_MS = 2000;

let sidecar: Sidecar;

afterEach(() => sidecar.stop());

function losses(): Promise<number> {
  return sidecar.metric('nearcache_shard_connections_lost_total');
}

test('a reply that trickles in for longer than the limit keeps its link, though heartbeats wait behind it', async () => {
  sidecar = await Sidecar.start({
    isGated: false,
    relay: { splitBytes: 16_384 },
    flags: `--link-dead-timeout ${LINK_DEAD_MS}ms --max-staleness 200ms --command-timeout 1s`,
  });
  await say(sidecar.direct, 'SET', 'huge', 'x'.repeat(BYTES));
  const app = await sidecar.app();
  sidecar.relay.pause('down');
  const start = performance.now();
  app.request(['GET', 'huge']);
  const pulse = setInterval(() => {
    sidecar.relay.resume('down');
    // After that the rest may come at once.
    if (performance.now() - start > 2 * LINK_DEAD_MS) clearInterval(pulse);
    else setImmediate(() => sidecar.relay.pause('down'));
  }, 50);
  const reply = await app.readFrame();
  clearInterval(pulse);
  expect(reply).toHaveLength(`$${BYTES}\r\n`.length + BYTES + 2);
  expect(performance.now() - start).toBeGreaterThan(2 * LINK_DEAD_MS);
  expect(await losses()).toBe(0);
});

test('a script that runs for longer than the limit keeps its link, since Redis says that it is busy', async () => {
  sidecar = await Sidecar.start({
    redisArgs: ['--busy-reply-threshold', '50'],
    flags: `--link-dead-timeout ${LINK_DEAD_MS}ms --max-staleness 200ms --slow-command-timeout 100ms`,
  });
  const app = await sidecar.app();
  const spin = `${STAY_BUSY} redis.call('SET', 'spun', '1')`;
  expect(await say(app, 'EVAL', spin, '0', String(3 * LINK_DEAD_MS))).toContain('did not answer');
  await until('the script has ended', async () => (await say(sidecar.direct, 'GET', 'spun')) === '1');
  expect(await say(app, 'GET', 'spun')).toBe('1');
  expect(await losses()).toBe(0);
});
