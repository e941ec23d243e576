import type { Clock } from '../base/clock.ts';
import { whenQuiet } from '../shard/quiescence.ts';
import type { Shard } from '../shard/shard.ts';
import type { SessionRegistry } from './session-registry.ts';

/** The keys that leave a shard are not used there any more. Sessions that block or watch there are ended, whatever their keys:
 *  what they wait for may happen elsewhere. `done` runs when nothing that was sent to the shard before is unanswered. */
export function drainShard(registry: SessionRegistry, shard: Shard, clock: Clock, done: () => void): void {
  for (const session of registry.all()) {
    const { pin } = session;
    if (pin.shard !== shard || !(pin.isBlocking || pin.sticky.isActive)) continue;
    session.close(
      'upstream',
      `keys of shard ${shard.name} are moving: what blocks or watches there is ended`,
    );
  }
  whenQuiet(shard, clock, done);
}
