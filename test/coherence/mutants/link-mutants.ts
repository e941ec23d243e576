import { coherence, path, schedules, unit } from './killers.ts';
import type { Mutant } from './mutant.ts';

const LOST_LINK = schedules('a lost link: two sessions');

/** M9 to M11 of the coherence specification, and what else depends on the link to Redis and on time. */
export const LINK_MUTANTS: readonly Mutant[] = [
  {
    name: 'M9, R8: entries outlive the link that read them',
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
    killers: [LOST_LINK],
  },
  {
    name: 'M10, R8: entries are served while the link that brings invalidations is down',
    edits: [
      {
        file: 'src/shard/shared-connection.ts',
        find: '    this.generation.isAlive = false;',
        replace: '',
      },
    ],
    killers: [path('link-loss', 'nothing is served from the cache while the link is down')],
  },
  {
    name: 'M11, R7: a link fills though tracking was not confirmed on it',
    edits: [
      {
        file: 'src/shard/handshake.ts',
        find: 'isTracking: wishes.tracks && replies[1]?.[0] === PLUS,',
        replace: 'isTracking: wishes.tracks,',
      },
    ],
    killers: [coherence('tracking', 'where tracking is refused nothing is cached')],
  },
  {
    name: 'R7: invalidations of own writes are not wanted',
    edits: [
      {
        file: 'src/shard/handshake.ts',
        find: "[['CLIENT', 'TRACKING', 'ON']]",
        replace: "[['CLIENT', 'TRACKING', 'ON', 'NOLOOP']]",
      },
    ],
    killers: [coherence('tracking', 'the invalidations of the shared connection itself are wanted')],
  },
  {
    name: 'R1: an invalidation that was cut in two by the end of its link spoils the next link',
    edits: [
      {
        file: 'src/shard/shared-link.ts',
        find: '  readonly #pushes = new PushReader();',
        replace: '  static readonly #pushes = new PushReader();',
      },
      {
        file: 'src/shard/shared-link.ts',
        find: 'this.#pushes.read(',
        replace: 'SharedLink.#pushes.read(',
      },
    ],
    killers: [schedules('in the middle of an invalidation')],
  },
  {
    name: 'R9: entries are served however long nothing was heard of Redis',
    edits: [
      {
        file: 'src/cache/generation.ts',
        find: '|| now - this.freshAt > maxStalenessMs) return false;',
        replace: '|| maxStalenessMs < 0) return false;',
      },
    ],
    killers: [schedules('late by more than D')],
  },
  {
    name: 'R9: an answered heartbeat vouches for the time when the newest one was sent',
    edits: [
      {
        file: 'src/shard/heartbeat.ts',
        find: 'this.#generation.freshAt = sentAt;',
        replace: 'this.#generation.freshAt = Math.max(sentAt, this.#sentAt);',
      },
    ],
    killers: [unit('shard/shared-connection-standing', 'extends freshness to when the heartbeat')],
  },
  {
    name: 'R9: a read that was held up on its way is joined however old it is',
    edits: [
      {
        file: 'src/cache/flights.ts',
        find: 'read?.isOpen === true && read.sentAt >= since && sameId',
        replace: 'read?.isOpen === true && since < Infinity && sameId',
      },
    ],
    killers: [schedules('an answer that is late by more than D')],
  },
  {
    name: 'R12: the end of a key is overlooked',
    edits: [
      {
        file: 'src/cache/lifetime.ts',
        find: 'const expiryMs = pttl >= 0 && !isMissing ? pttl : Number.POSITIVE_INFINITY;',
        replace: 'const expiryMs = Number.POSITIVE_INFINITY;',
      },
    ],
    killers: [schedules('the end of a key')],
  },
  {
    name: 'R12: the time to live is counted from the reply, not from the request',
    edits: [
      {
        file: 'src/cache/near-cache.ts',
        find: '      facts.loadMs = now - flight.sentAt;',
        replace: '      facts.loadMs = now - flight.sentAt;\n      facts.deadline += facts.loadMs;',
      },
    ],
    killers: [schedules('the end of a key')],
  },
  {
    name: 'path 7: entries of a lost link are not dropped before the next fills',
    edits: [
      {
        file: 'src/shard/shard.ts',
        find: '        cache?.dropExcept(this.#fencesBeside(shared));',
        replace: '',
      },
    ],
    killers: [path('link-loss', 'the entries of a lost link are dropped before anything else is read')],
  },
  {
    name: 'R11: a replica is a source',
    edits: [
      {
        file: 'src/shard/shared-link.ts',
        find: 'server.isTracking && server.isPrimary && server.hasOrderedPushes',
        replace: 'server.isTracking && server.hasOrderedPushes',
      },
    ],
    killers: [coherence('tracking', 'nothing is cached from a replica')],
  },
];
