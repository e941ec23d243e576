import type { Clock } from '../base/clock.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { OwnCall } from './call.ts';
import type { Identity } from './identity.ts';
import type { Shard } from './shard.ts';
import { ANY_DB } from './shared-connection.ts';

/** HELLO without arguments: permitted to every user. */
const HELLO = encodeRequest(['HELLO']);
/** How often it is looked whether all is quiet. Units: ms. */
const LOOK_MS = 5;
const ROUNDS = 2;

/** Waits until nothing that was sent to a shard before is unanswered: each shared connection answers a question that is behind it
 *  all (twice, since a reply may have had a read sent again), pinned connections have no calls left, and connections that were lost with commands on them are killed at Redis.
 *  `done` runs once, when that holds; a shard that is away is waited for. Returns the way to give up. */
export function whenQuiet(shard: Shard, clock: Clock, done: () => void): () => void {
  const passed = new Map<Identity, number>();
  const asked = new Set<Identity>();
  const stop = clock.every(LOOK_MS, () => {
    const identities = [...shard.identities];
    for (const identity of identities) if ((passed.get(identity) ?? 0) < ROUNDS) ask(identity, asked, passed);
    const isQuiet = identities.every(
      (identity) => passed.get(identity) === ROUNDS && identity.pinned.isQuiet,
    );
    if (!isQuiet || !shard.ghosts.bury()) return;
    stop();
    done();
  });
  return stop;
}

function ask(identity: Identity, asked: Set<Identity>, passed: Map<Identity, number>): void {
  const { shared } = identity;
  // What was sent on a link that is gone is a ghost's affair, not this one's.
  if (shared.state === 'idle') return void passed.set(identity, ROUNDS);
  if (asked.has(identity) || !shared.isReady) return;
  asked.add(identity);
  const call = new OwnCall((reply) => {
    asked.delete(identity);
    if (reply !== undefined) passed.set(identity, (passed.get(identity) ?? 0) + 1);
  });
  shared.submit(call, HELLO, 0, HELLO.length, ANY_DB);
}
