import { coherence, path, schedules } from './killers.ts';
import type { Edit, Mutant } from './mutant.ts';

/** What a write to known keys does: replaced as a whole. */
function writeEffect(replace: string): Edit {
  return {
    file: 'src/session/effect.ts',
    find: `    this.#fence = fence;
    for (const key of keys) cache.close(key, fence);
  }

  replied(): void {
    for (const key of this.#keys) this.#cache.open(key, this.#fence);
  }`,
    replace: `    this.#fence = fence;\n${replace}`,
  };
}

const TWO_LINKS = schedules('a transaction on a connection of its own');

/** M1 to M8 of the coherence specification, and what else an own write must do. */
export const WRITE_MUTANTS: readonly Mutant[] = [
  {
    name: 'what is read again behind a write is sent before it',
    edits: [
      {
        file: 'src/session/dispatch.ts',
        find: '      send(session, slot, request, session.db);\n      if (effect',
        replace:
          '      if (effect instanceof WriteEffect) reread(session, cache, request, effect.reread);\n      send(session, slot, request, session.db);\n      if (effect',
      },
      {
        file: 'src/session/dispatch.ts',
        find: '      else if (effect instanceof WriteEffect) reread(session, cache, request, effect.reread);\n',
        replace: '',
      },
    ],
    killers: [path('reread', 'SET: GET is asked with it', 'is followed at once')],
  },
  {
    name: 'M1, R3: a reply fills whatever has happened to its key meanwhile',
    edits: [
      {
        file: 'src/cache/near-cache.ts',
        find: 'if (!flight.isLive || !flight.generation.isAlive) refused.revoked++;',
        replace: 'if (!flight.generation.isAlive) refused.revoked++;',
      },
    ],
    killers: [TWO_LINKS],
  },
  {
    name: 'M2, R5: a write relies on its invalidation and revokes nothing itself',
    edits: [writeEffect('  }\n\n  replied(): void {}')],
    killers: [schedules('one session', 'a warm cache')],
  },
  {
    name: 'M3, R5: a write revokes at dispatch only',
    edits: [writeEffect('    for (const key of keys) cache.revoke(key);\n  }\n\n  replied(): void {}')],
    killers: [TWO_LINKS],
  },
  {
    name: 'M4, R5: a write revokes entries at its reply only, and reads that are on their way fill later',
    edits: [
      writeEffect(`  }

  replied(): void {
    for (const key of this.#keys) this.#cache.store.remove(Buffer.from(key, 'latin1'), 0, key.length);
  }`),
    ],
    killers: [TWO_LINKS],
  },
  {
    name: 'M5, R4: later readers join a read that was sent before the write',
    edits: [
      {
        file: 'src/cache/flights.ts',
        find: '    endAll(first);\n    this.#first.delete(key);',
        replace: '    endAll(first);',
      },
    ],
    killers: [TWO_LINKS],
  },
  {
    name: 'M6, R6: the reply of a script does not wait for what its invalidations say',
    edits: [
      {
        file: 'src/session/effect.ts',
        find: '    slot.isHeld = true;\n',
        replace: '    if (this.#isSent) return this.#finish();\n    slot.isHeld = true;\n',
      },
    ],
    killers: [schedules('a script that writes what it does not declare')],
  },
  {
    name: 'M7, R14: a newer reply on another connection revokes nothing',
    edits: [
      {
        file: 'src/session/effect.ts',
        find: '    for (const key of this.#keys) this.#cache.revoke(key);',
        replace: '',
      },
    ],
    killers: [schedules('reads under WATCH')],
  },
  {
    name: 'M8: what is written is put into the cache, though nobody tracks it then',
    edits: [
      {
        file: 'src/session/cache-effects.ts',
        find: '    return new WriteEffect(cache, keys, fenceOf(session), reread);',
        replace: `    const effect = new WriteEffect(cache, keys, fenceOf(session), reread);
    const key = Buffer.from(keys[0] ?? '', 'latin1');
    const value = Buffer.from(request.argLatin1(request.argc - 1), 'latin1');
    const id = { bytes: key, keyStart: 0, keyEnd: key.length, argsStart: key.length, argsEnd: key.length };
    const { fence } = session.identity.shared.generation;
    const facts = { form: 0, filledAt: 0, deadline: 1e9, refreshAt: Infinity, loadMs: 0, policy: 0 } as const;
    const commandId = (commandByName('get') as CommandSpec).id;
    return {
      needsWhole: false,
      replied: () => {
        effect.replied();
        const reply = Buffer.concat([Buffer.from(\`$\${value.length}\\r\\n\`), value, Buffer.from('\\r\\n')]);
        cache.store.insert({ ...id, commandId, db: session.db, fence }, reply, 0, reply.length, facts);
      },
      failed: () => effect.failed(),
    };`,
      },
      {
        file: 'src/session/cache-effects.ts',
        find: "import type { CommandSpec } from '../command/spec.ts';",
        replace:
          "import type { CommandSpec } from '../command/spec.ts';\nimport { commandByName } from '../command/table.ts';",
      },
    ],
    killers: [schedules('of two keys, and another program')],
  },
  {
    name: 'R5: only the first key that a write names is closed',
    edits: [
      {
        file: 'src/session/effect.ts',
        find: '    this.#keys = keys;\n    this.#fence = fence;\n    for (const key of keys) cache.close(key, fence);',
        replace:
          '    this.#keys = keys.slice(0, 1);\n    this.#fence = fence;\n    for (const key of this.#keys) cache.close(key, fence);',
      },
    ],
    killers: [schedules('of which the second is cached')],
  },
  {
    name: 'R5: a write whose link is lost leaves its keys closed',
    edits: [
      {
        file: 'src/session/effect.ts',
        find: '  failed(): void {\n    for (const key of this.#keys) this.#cache.open(key);',
        replace: '  failed(): void {',
      },
    ],
    killers: [schedules('one session')],
  },
  {
    name: 'R4: an invalidation between the PTTL and the read behind it ends no flight',
    edits: [
      {
        file: 'src/cache/flights.ts',
        find: 'if (flight.isAhead && flight.generation.fence === fence) {',
        replace: 'if (flight.generation.fence === fence) {',
      },
    ],
    killers: [schedules('nor in long random orders')],
  },
  {
    name: 'R5: EXEC closes and revokes nothing of what was queued',
    edits: [
      {
        file: 'src/session/transaction.ts',
        find: '    return new WriteEffect(cache, this.keys, fence);',
        replace: '    return undefined;',
      },
    ],
    killers: [TWO_LINKS],
  },
  {
    name: 'R6: a link that is lost before the sign that it waits for lets the script go without a flush',
    edits: [
      {
        file: 'src/session/effect.ts',
        find: '      if (reply === undefined) this.#cache.flush();\n      this.#isPassed = true;\n      if (this.#waiting === undefined) return;',
        replace:
          '      if (reply === undefined) return;\n      this.#isPassed = true;\n      if (this.#waiting === undefined) return;',
      },
    ],
    killers: [schedules('a script that writes what it does not declare')],
  },
  {
    name: 'R6, path 2: reads hit while a command of unknown keys is outstanding',
    edits: [
      {
        file: 'src/session/cached-answer.ts',
        find: 'if (session.unknownOutstanding > 0 || session.space < 0) return NEVER;',
        replace: 'if (session.space < 0) return NEVER;',
      },
    ],
    killers: [path('outstanding', 'while its timed-out script may still run')],
  },
  {
    name: 'I11: SWAPDB drops nothing',
    edits: [
      {
        file: 'src/session/cache-effects.ts',
        find: '  if (spec.flushesAll) return new FlushEffect(cache);',
        replace: '',
      },
    ],
    killers: [schedules('two databases change places')],
  },
  {
    name: 'R4, I11: a flush lets reads that are on their way fill',
    edits: [
      {
        file: 'src/cache/near-cache.ts',
        find: 'this.store.clear();\n    this.#flights.endAll();',
        replace: 'this.store.clear();',
      },
    ],
    killers: [coherence('fill', 'during a flush of this nearcache')],
  },
  {
    name: 'R5, I11: a flush drops nothing at its reply of what was read since its dispatch',
    edits: [
      {
        file: 'src/cache/near-cache.ts',
        find: '  closeAll(): void {\n    this.flush();\n    this.#closedAll++;',
        replace: '  closeAll(): void {\n    this.flush();',
      },
      {
        file: 'src/cache/near-cache.ts',
        find: '  openAll(): void {\n    this.flush();\n    this.#closedAll--;',
        replace: '  openAll(): void {',
      },
    ],
    killers: [coherence('flush', 'what is read while SWAPDB is on its way')],
  },
];
