import { coherence, unit } from './killers.ts';
import type { Mutant } from './mutant.ts';

/** What several servers add: slots that move, primaries that are replaced, and a session whose commands go to several links. */
export const SHARD_MUTANTS: readonly Mutant[] = [
  {
    name: '§8: a redirect and a move of a slot leave what was cached of it',
    edits: [
      {
        file: 'src/route/slot-map.ts',
        find: '    this.#incarnations[slot] = this.incarnationOf(slot) + 1;',
        replace: '    this.#incarnations[slot] = this.incarnationOf(slot);',
      },
    ],
    killers: [coherence('slots', 'a missing key that was cached')],
  },
  {
    name: '§8: a node is not heard that says which slots are leaving it',
    edits: [
      {
        file: 'src/route/slot-map.ts',
        find: '      for (const slot of view.movingSlots) moving[slot] = 1;',
        replace: '      for (const slot of view.movingSlots) moving[slot] = 0;',
      },
    ],
    killers: [coherence('slots', 'as soon as its node says that the slot is leaving')],
  },
  {
    name: '§8: a slot that is moving is cached as any other',
    edits: [
      {
        file: 'src/route/cluster-upstream.ts',
        find: 'return this.#map.isMoving(slot, this.#clock.now()) ? -1 : this.#map.incarnationOf(slot);',
        replace: 'return this.#map.incarnationOf(slot);',
      },
    ],
    killers: [coherence('slots', 'nothing of a slot is kept while it is moving')],
  },
  {
    name: 'path 1: a command overtakes one that is on its way to where its slot was',
    edits: [
      {
        file: 'src/session/over-shards.ts',
        find: "    if (session.outstanding > 0) return 'wait';\n    session.routedAt = upstream.version;",
        replace: '    session.routedAt = upstream.version;',
      },
    ],
    killers: [coherence('slots', 'a read does not overtake a write of its session')],
  },
  {
    name: 'R5: a write that goes on to another node keeps its place on the first link',
    edits: [
      {
        file: 'src/session/effect.ts',
        find: '      this.#cache.close(key);\n      this.#cache.open(key, this.#fence);\n    }\n    this.#fence = ELSEWHERE;',
        replace:
          '      this.#cache.close(key, this.#fence);\n      this.#cache.open(key, this.#fence);\n    }',
      },
    ],
    killers: [unit('session/effect', 'a write that goes on to another link')],
  },
  {
    name: 'R11: entries are served though nobody confirms that their server is still the primary',
    edits: [
      {
        file: 'src/cache/generation.ts',
        find: 'return this.confirmation === undefined || this.confirmation.isFresh(now);',
        replace: 'return true;',
      },
    ],
    killers: [coherence('failover', 'when no majority of the Sentinels has confirmed the primary')],
  },
  {
    name: 'R11: links to the old primary stay',
    edits: [
      {
        file: 'src/shard/identities.ts',
        find: '      shared.reset(reason);\n      control.reset(reason);',
        replace: '      control.reset(reason);',
      },
    ],
    killers: [coherence('failover', 'nothing more is asked of the old primary')],
  },
  {
    name: 'I9: an MGET that waits is looked up in the database that its session is in by then',
    edits: [
      {
        file: 'src/session/cached-answer.ts',
        find: 'if (!lookUpAll(session, cache, request, spec, { proto, now, db })) return false;',
        replace: 'if (!lookUpAll(session, cache, request, spec, { proto, now })) return false;',
      },
    ],
    killers: [coherence('shards', 'from the database it was asked in')],
  },
];
