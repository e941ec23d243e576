/** The hop's own process, so that its polling takes no time from the load generator's event loop.
 *  Arguments: the server's port, the delay in ms. Messages: `{ port }` once it listens; for each 'held' message the
 *  percentiles of how long chunks were held since the one before. */
import { percentilesOf } from '../report/percentiles.ts';
import { goFirst } from './go-first.ts';
import { startHopRelay } from './relay.ts';

goFirst();
const [serverPort, delayMs] = process.argv.slice(2).map(Number) as [number, number];
const relay = await startHopRelay(serverPort, delayMs);
process.send?.({ port: relay.port });
process.on('message', () => {
  process.send?.(percentilesOf(relay.held));
  relay.held.reset();
});
process.on('disconnect', () => process.exit(0));
