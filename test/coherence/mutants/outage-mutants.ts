import { coherence, outage, unit } from './killers.ts';
import type { Mutant } from './mutant.ts';

/** What may be served while a shard is away, and to whom; what is sent twice. */
export const OUTAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'stale: a policy’s window is never over',
    edits: [
      {
        file: 'src/cache/near-cache.ts',
        find: 'return ageMs < (this.policies.all[this.store.found.policy]?.staleIfErrorMs ?? 0);',
        replace: 'return ageMs >= 0;',
      },
    ],
    killers: [outage('stale', 'no longer than --stale-if-error of its policy')],
  },
  {
    name: 'stale: what is only not fresh any more is served as if its shard were away',
    edits: [
      {
        file: 'src/session/cached-answer.ts',
        find: 'return shared.isUnresponsive(now, silentMs) ? asOf : NEVER;',
        replace: 'return silentMs > 0 ? asOf : NEVER;',
      },
    ],
    killers: [coherence('failover', 'when no majority of the Sentinels has confirmed the primary')],
  },
  {
    name: 'stale: entries of a shard that is away count as hits',
    edits: [
      {
        file: 'src/session/cached-answer.ts',
        find: 'return shared.isUnresponsive(now, silentMs) ? asOf : NEVER;',
        replace: 'return shared.isUnresponsive(now, silentMs) ? now : NEVER;',
      },
    ],
    killers: [outage('stale', 'what is hot is answered from the first moment on')],
  },
  {
    name: 'stale: a Redis that refuses the user counts as away',
    edits: [
      {
        file: 'src/shard/shared-connection.ts',
        find: ": obstacle.kind !== 'refused';",
        replace: ': true;',
      },
    ],
    killers: [outage('no-outage', 'does not want nearcache’s user any more')],
  },
  {
    name: 'stale, R5: a write whose outcome is unknown leaves what was known of its key',
    edits: [
      {
        file: 'src/session/effect.ts',
        find: '    for (const key of keys) cache.close(key, fence);',
        replace: '    this.#keys = [];',
      },
    ],
    killers: [outage('stale', 'a key with a write whose outcome is unknown')],
  },
  {
    name: 'stale, R6: a session is told what its own script may have changed',
    edits: [
      {
        file: 'src/session/cached-answer.ts',
        find: 'if (session.unknownOutstanding > 0 || session.space < 0) return NEVER;',
        replace: 'if (session.space < 0) return NEVER;',
      },
    ],
    killers: [outage('stale', 'a session is not told what its own script')],
  },
  {
    name: 'stale, R6: … when there is nobody to ask',
    edits: [
      {
        file: 'src/session/asked.ts',
        find: 'const mayBeStale = unknownOutstanding === 0 && space >= 0;',
        replace: 'const mayBeStale = unknownOutstanding >= 0 && space >= 0;',
      },
    ],
    killers: [outage('stale', 'a session is not told what its own script')],
  },
  {
    name: 'R8: entries of a lost link are served when the next one is there',
    edits: [
      {
        file: 'src/cache/generation.ts',
        find: 'readonly fence: number = ++Generation.#lastFence;',
        replace: 'readonly fence: number = 1;',
      },
      {
        file: 'src/shard/shard.ts',
        find: '        cache?.dropExcept(this.#fencesBeside(shared));',
        replace: '',
      },
    ],
    killers: [outage('recovery', 'nothing of a Redis that was restarted empty is served')],
  },
  {
    name: 'a Redis that loads its data set is used',
    edits: [
      {
        file: 'src/shard/handshake.ts',
        find: 'if (ready !== undefined && UNREADY.test(ready))',
        replace: "if (ready === '' && UNREADY.test(ready))",
      },
    ],
    killers: [outage('recovery', 'counts as away until it has done so')],
  },
  {
    name: 'a read is repeated though its session has sent a write behind it',
    edits: [
      {
        file: 'src/session/retry.ts',
        find: '    slot.detour === undefined &&\n    slot.owner.writes === slot.writesBefore;',
        replace: '    slot.detour === undefined;',
      },
    ],
    killers: [outage('repeated-reads', 'nor is a read behind which the same session has sent a write')],
  },
  {
    name: 'a shard’s keys are used where they were though it can be asked where they are',
    edits: [
      {
        file: 'src/route/ring-change.ts',
        find: "const isHarmless = standing === 'unknown' && this.#host.isAway(old);",
        replace: "const isHarmless = standing === 'unknown';",
      },
    ],
    killers: [unit('route/ring-change', 'looks for the keys of a shard to which nothing is sent')],
  },
];
