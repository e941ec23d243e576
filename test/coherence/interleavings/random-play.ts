import * as fc from 'fast-check';

import { conclude, type Request, withSchedule } from './scenario.ts';
import type { ServerLink } from './server-link.ts';
import { World } from './world.ts';

/** One thing that happens. Shape: `pick` chooses among what is possible then (its meaning depends on `kind`), so every list of
 *  these is a schedule, and any part of a list is one too. `rests` = the event loop comes to rest before the next. */
export interface Happening {
  readonly kind: 'send' | 'run' | 'deliver' | 'outside' | 'cut' | 'open' | 'refuse' | 'pass';
  readonly pick: number;
  readonly rests: boolean;
}

const KEYS = ['a', 'b', 'n'];
const PIECES = [1, 7, 'answer', 'all'] as const;
const PAUSES_MS = [1, 30, 120, 300, 900, 1300];

/** Schedules of up to `length` happenings. */
export function happenings(length: number): fc.Arbitrary<Happening[]> {
  const kind = fc.oneof(
    { weight: 8, arbitrary: fc.constant('send' as const) },
    { weight: 8, arbitrary: fc.constant('run' as const) },
    { weight: 8, arbitrary: fc.constant('deliver' as const) },
    { weight: 3, arbitrary: fc.constant('outside' as const) },
    { weight: 2, arbitrary: fc.constantFrom('pass' as const, 'open' as const) },
    { weight: 1, arbitrary: fc.constantFrom('cut' as const, 'refuse' as const) },
  );
  const rests = fc.integer({ min: 0, max: 3 }).map((n) => n > 0);
  return fc.array(fc.record({ kind, pick: fc.nat({ max: 9999 }), rests }), {
    maxLength: length,
    size: 'max',
  });
}

/** Errors: throws with the whole schedule when a rule is broken. */
export function playRandomly(schedule: readonly Happening[]): void {
  World.run((world) => {
    const stage = new Stage(world);
    try {
      for (const happening of schedule) stage.let(happening);
      conclude(world, KEYS, 'always');
    } catch (error) {
      throw withSchedule(error, world.trace);
    }
  });
}

class Stage {
  readonly #world: World;
  /** Each written value is another. */
  #values = 0;

  constructor(world: World) {
    this.#world = world;
    for (const name of ['A', 'B', 'C']) world.client(name);
    world.settle();
  }

  let({ kind, pick, rests }: Happening): void {
    this.#do(kind, pick);
    if (rests) this.#world.settle();
  }

  #do(kind: Happening['kind'], pick: number): void {
    const world = this.#world;
    switch (kind) {
      case 'send':
        return world.send(chosen(world.clients, pick) as never, this.#packet(Math.floor(pick / 3)));
      case 'run':
        return withOne(
          this.#links(({ pending }) => pending.length > 0),
          pick,
          (link) => world.runNext(link),
        );
      case 'deliver':
        return withOne(
          this.#links(({ output }) => output.length > 0),
          pick,
          (link) => world.deliver(link, chosen(PIECES, pick) ?? 'all'),
        );
      case 'outside':
        return world.outside(this.#outsideWrite(pick));
      case 'cut':
        return withOne(
          this.#links(({ state }) => state === 'open'),
          pick,
          (link) => world.cut(link, pick % 2 === 0),
        );
      case 'open':
        return withOne(
          this.#links(({ state }) => state === 'connecting'),
          pick,
          (link) => world.open(link),
        );
      case 'refuse':
        return withOne(
          this.#links(({ state }) => state === 'connecting'),
          pick,
          (link) => world.refuse(link),
        );
      case 'pass':
        return world.advance(chosen(PAUSES_MS, pick) ?? 0);
    }
  }

  #links(is: (link: ServerLink) => boolean): ServerLink[] {
    return this.#world.redis.links.filter(is);
  }

  /** One to three requests, or a transaction. */
  #packet(pick: number): Request[] {
    const requests = Array.from({ length: 1 + (pick % 3) }, (_, i) => this.#request((pick >> 2) + i * 7));
    return pick % 8 === 7 ? [['MULTI'], ...requests, ['EXEC']] : requests;
  }

  #request(pick: number): Request {
    const key = chosen(KEYS, pick) as string;
    const requests: Request[] = [
      ['GET', key],
      ['GET', key],
      ['GET', key],
      ['GET', 'a'],
      ['GET', 'b'],
      ['MGET', 'a', 'b'],
      ['MGET', 'b', 'n', 'a'],
      ['EXISTS', 'a', 'b'],
      ['LCS', 'a', 'b'],
      ['STRLEN', key],
      ['EVAL', 'incr', '0', 'n'],
      ['FLUSHALL'],
      this.#write(pick),
      this.#write(pick + 1),
      this.#write(pick + 2),
    ];
    return chosen(requests, pick >> 2) as Request;
  }

  #write(pick: number): Request {
    const value = `v${++this.#values}`;
    const key = chosen(['a', 'b'], pick) as string;
    const writes: Request[] = [
      ['SET', key, value],
      ['SET', key, value, 'PX', '100'],
      ['MSET', 'a', value, 'b', value],
      ['DEL', 'a', 'b'],
      ['INCR', 'n'],
    ];
    return chosen(writes, pick >> 1) as Request;
  }

  #outsideWrite(pick: number): Request {
    return pick % 50 === 0 ? ['FLUSHALL'] : this.#write(pick);
  }
}

function chosen<T>(things: readonly T[], pick: number): T | undefined {
  return things[pick % things.length];
}

function withOne<T>(things: readonly T[], pick: number, act: (thing: T) => void): void {
  const thing = chosen(things, pick);
  if (thing !== undefined) act(thing);
}
