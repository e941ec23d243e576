import { coherence, path, schedules, unit } from './killers.ts';
import type { Mutant } from './mutant.ts';

/** What a read, and the order of a session's replies, depend on. */
export const READ_MUTANTS: readonly Mutant[] = [
  {
    name: 'R2: errors are kept',
    edits: [
      {
        file: 'src/cache/near-cache.ts',
        find: '    else if (isError) refused.error++;\n',
        replace: '    else if (isError && source.length === 0) refused.error++;\n',
      },
    ],
    killers: [coherence('errors', 'each WRONGTYPE was said by Redis to that very request')],
  },
  {
    name: 'R13: a read after WATCH is answered from the cache',
    edits: [
      {
        file: 'src/session/dispatch.ts',
        find: '  } else if (session.pin.sticky.isActive) {',
        replace:
          "  } else if (session.pin.sticky.isActive && (session.pin.sticky.isInTransaction || spec?.cacheClass !== 'A')) {",
      },
    ],
    killers: [coherence('transactions', 'a read after WATCH is at least as new as the WATCH')],
  },
  {
    name: 'R16: MGET puts together what it found before and what Redis says now',
    edits: [
      {
        file: 'src/session/many-read-call.ts',
        find: '      if (!store.find(wanted, 3, now)) return undefined;',
        replace: `      const seen = this.#seen.get(index);
      if (seen !== undefined) {
        parts.push(seen);
        continue;
      }
      if (!store.find(wanted, 3, now)) return undefined;`,
      },
      {
        file: 'src/session/many-read-call.ts',
        find: '    this.id = ownId(wanted);',
        replace: `    this.id = ownId(wanted);
    for (let index = 1; index < request.argc; index++) {
      aimAtKey(request, index, spec, session.db, shared.generation.fence);
      if (missing.includes(index) || !cache.store.find(wanted, 3, session.now)) continue;
      const { bytes, start, end } = cache.store.found;
      this.#seen.set(index, Buffer.from(bytes.subarray(start, end)));
    }`,
      },
      {
        file: 'src/session/many-read-call.ts',
        find: '  #isOver = false;',
        replace: '  #isOver = false;\n  readonly #seen = new Map<number, Buffer>();',
      },
    ],
    killers: [schedules('reads of two keys')],
  },
  {
    name: 'path 1: a command goes to another link though the last one still owes replies',
    edits: [
      {
        file: 'src/session/session.ts',
        find: '    if (this.outstanding > 0 || this.queue.length > 0) return false;',
        replace: '',
      },
    ],
    killers: [path('order', 'a write behind a blocking pop runs after the pop has been served')],
  },
  {
    name: 'path 1: what MONITOR brings overtakes a reply that is held back',
    edits: [
      {
        file: 'src/session/sticky.ts',
        find: '    if (this.#session.queue.length > 0) return false;\n    this.#pin.isDirty',
        replace: '    this.#pin.isDirty',
      },
    ],
    killers: [path('half-pushes', 'what MONITOR starts does not overtake')],
  },
  {
    name: 'path 1: a reply leaves in the middle of a MONITOR line',
    edits: [
      {
        file: 'src/session/reply-writer.ts',
        find: '    this.#isMidPush = !last;',
        replace: '    this.#isMidPush = false;',
      },
    ],
    killers: [path('half-pushes', 'an error of our own waits')],
  },
  {
    name: 'path 1: a reply leaves in the middle of an invalidation of the app’s own tracking',
    edits: [
      {
        file: 'src/session/pin.ts',
        find: '    if (this.#hold.connection?.connection.takesAll !== true) {',
        replace: '    if (this.#hold.connection?.connection.takesAll === undefined) {',
      },
    ],
    killers: [path('half-pushes', 'RESET does not end')],
  },
  {
    name: 'path 3: a read joins another that was sent before a command which its session still waits for',
    edits: [
      {
        file: 'src/session/near-cache-path.ts',
        find: '  if (session.outstanding > 0 && read.position < session.lastPosition) return false;',
        replace: '',
      },
    ],
    killers: [schedules('the same read on its way')],
  },
  {
    name: 'path 3: a hit that waited is served as it was found',
    edits: [
      {
        file: 'src/session/parked-read.ts',
        find: '  if (!lookUpAgain(session, request, spec, { proto, db })) return false;',
        replace: `  const { parkedBytes } = slot as { parkedBytes?: Buffer };
  if (parkedBytes !== undefined) Object.assign(answer, { bytes: parkedBytes, start: 0, end: parkedBytes.length });
  else if (!lookUpAgain(session, request, spec, { proto, db })) return false;`,
      },
      {
        file: 'src/session/parked-read.ts',
        find: '  holdKeys(session, slot.parked);\n}',
        replace: `  holdKeys(session, slot.parked);
  if (!lookUpAgain(session, request, spec, session)) return;
  (slot as { parkedBytes?: Buffer }).parkedBytes = Buffer.from(answer.bytes.subarray(answer.start, answer.end));
}`,
      },
    ],
    killers: [schedules('a pipelined hit behind a miss')],
  },
  {
    name: 'path 3: a later read of the same key goes before a hit that has to be read again',
    edits: [
      {
        file: 'src/session/near-cache-path.ts',
        find: '  if (!session.held.isEmpty) {',
        replace: '  if (session.held.reads.size < 0) {',
      },
    ],
    killers: [path('waiting-hit', 'a later read of the same key is not older')],
  },
  {
    name: 'path 3: a later read that is not cached goes before a hit of its key that has to be read again',
    edits: [
      {
        file: 'src/session/held-keys.ts',
        find: '  if (held.isEmpty) return false;',
        replace: '  if (held.reads.size >= 0) return false;',
      },
    ],
    killers: [path('waiting-hit', 'a later read that is not cached')],
  },
  {
    name: 'path 3: who is asked for behind another shares a read that is older than it',
    edits: [
      {
        file: 'src/session/parked-read.ts',
        find: '      ask(session, next, false);',
        replace: '      ask(session, next, true);',
      },
    ],
    killers: [path('waiting-hit', 'who is asked for behind another')],
  },
  {
    name: 'path 3: hits that are known no more are asked for one after another',
    edits: [
      {
        file: 'src/session/parked-read.ts',
        find: 'const ONWARD_MAX = 128;',
        replace: 'const ONWARD_MAX = 0;',
      },
    ],
    killers: [
      path(
        'waiting-hit',
        'hits that waited and are known no more',
        'what is still known is asked for as well',
      ),
    ],
  },
  {
    name: 'path 3: a write goes before a hit of its key that waits',
    edits: [
      {
        file: 'src/session/cache-effects.ts',
        find: 'const mustWait = !held.isEmpty && (',
        replace: 'const mustWait = held.reads.size < 0 && (',
      },
    ],
    killers: [path('waiting-hit', 'a write behind a hit that waits')],
  },
  {
    name: 'path 3: the commands of a late session go before reads that wait',
    edits: [
      { file: 'src/session/parked-read.ts', find: '\n    ask(session, slot, false);\n', replace: '\n' },
      {
        file: 'src/session/parked-read.ts',
        find: '  lateness.wait(now);\n  return false;',
        replace: '  lateness.wait(now);\n  return lateness.at(now) > LONG_MS;',
      },
    ],
    killers: [path('waiting-hit', 'a session that is late has reads sent')],
  },
  {
    name: 'path 3: what waits behind a shared read is sent before that is answered',
    edits: [
      {
        file: 'src/session/parked-read.ts',
        find: '  if (session.held.onTheWay > 0) return;',
        replace: '',
      },
    ],
    killers: [path('waiting-hit', 'what waits behind a shared read')],
  },
  {
    name: 'path 3: what waits behind a part over several shards is sent before that is answered',
    edits: [
      {
        file: 'src/session/held-keys.ts',
        find: '  session.held.onTheWay++;',
        replace: '  if (slot.owner === session) session.held.onTheWay++;',
      },
      {
        file: 'src/session/held-keys.ts',
        find: '  session.held.onTheWay--;',
        replace: '  if (slot.owner === session) session.held.onTheWay--;',
      },
    ],
    killers: [path('over-shards-order', 'what waits behind a part that may be read again')],
  },
  {
    name: "I3': what another user's link has read stays, though this one was told something newer",
    edits: [
      {
        file: 'src/cache/segment-store.ts',
        find: '    if (facts.form !== RESP2_ONLY) this.#dropDoubted(',
        replace: '    if (facts.deadline < 0) this.#dropDoubted(',
      },
    ],
    killers: [unit('cache/near-cache', 'what another link has read of the same key')],
  },
  {
    name: "I3': what was seen and not kept leaves the entries of other links as they are",
    edits: [
      {
        file: 'src/cache/near-cache.ts',
        find: '    if (flight.isLive && !isError && !isKept) this.#forget(flight.key);\n',
        replace: '',
      },
    ],
    killers: [unit('cache/near-cache', 'what another link has read of the same key')],
  },
];
