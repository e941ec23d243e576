import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import { Fifo } from '../base/fifo.ts';
import { type KeyMove, type MoveEnd, type MoverLink, moveKey, TARGET_TIMEOUT_MS } from './key-move.ts';
import { NO_SOURCE, type RingChange } from './ring-change.ts';
import { parseRecord, type RingRecord } from './ring-record.ts';
import type { MoveTarget } from './ring-scripts.ts';

/** A key of a command, in the database where the command names it. */
export interface KeyAt {
  readonly key: Buffer;
  readonly db: number;
}

/** Whoever wants to run a command on keys that may have to be moved first. Called once, later. */
export interface MoveWaiter {
  /** Something has happened: find out anew where the command's keys are, and ask `ready` again. */
  wake(): void;
  /** They cannot be moved, so the command runs nowhere. Shape: one line, for an error reply. */
  fail(problem: string): void;
}

export interface KeyMoverParts {
  readonly change: Pick<RingChange, 'names' | 'placeOf' | 'sourceOf' | 'lineOf'>;
  readonly clock: Clock;
  link(shard: number): MoverLink;
  /** How the other shards reach that one; undefined = that is not known now. */
  target(shard: number): MoveTarget | undefined;
  /** That shard's record is not what we think: read it. */
  reread(shard: number): void;
  /** Keys that are remembered as moved; 100,000 if absent. */
  readonly knownMax?: number;
}

/** Moves under way from one shard: it serves nobody else during each of them. */
const IN_FLIGHT_MAX = 8;
const KNOWN_MAX = 100_000;
/** A source that could not reach a target is not asked for it again so soon: each try may stop it for TARGET_TIMEOUT_MS. */
const COOL_DOWN_MS = 2 * TARGET_TIMEOUT_MS;

/** A key on its way, and who waits for it. */
interface Journey {
  readonly id: string;
  readonly move: KeyMove;
  readonly from: number;
  readonly to: number;
  readonly parties: Party[];
}

interface Party {
  readonly waiter: MoveWaiter;
  missing: number;
  problem: string | undefined;
}

interface Exit {
  readonly waiting: Fifo<Journey>;
  inFlight: number;
}

/** Moves keys from their old owners to their new ones before commands use them, while a ring becomes another.
 *
 *  Bounds: 8 moves under way a source, 100,000 keys remembered. What is forgotten is asked again, which does no harm.
 *  Cost: a known key is one look-up in a map; another is a round trip to its old owner. */
export class KeyMover {
  /** Keys moved or found moved; moves that failed. */
  moved = 0;
  failed = 0;
  readonly #parts: KeyMoverParts;
  readonly #known: LRUCache<string, true>;
  readonly #journeys = new Map<string, Journey>();
  readonly #exits = new Map<number, Exit>();
  /** Until when, by source and target. */
  readonly #coolDowns = new Map<string, { until: number; text: string }>();

  constructor(parts: KeyMoverParts) {
    this.#parts = parts;
    this.#known = new LRUCache({ max: parts.knownMax ?? KNOWN_MAX });
  }

  /** May a command on these keys run where `placeOf` says? If not, `waiter` hears later.
   *  Shape: none of the keys is HELD. Bounds: as many keys as half of `knownMax` that are not known to have moved, else it fails. */
  ready(keys: readonly KeyAt[], waiter: MoveWaiter): boolean {
    const party: Party = { waiter, missing: 1, problem: undefined };
    const joined = new Set<string>();
    for (const { key, db } of keys) {
      const from = this.#parts.change.sourceOf(key, 0, key.length);
      if (from === NO_SOURCE) continue;
      const id = `${db}:${key.latin1Slice()}`;
      if (this.#known.get(id) === true || joined.has(id)) continue;
      joined.add(id);
      party.missing++;
      this.#join(party, id, { key, db }, from);
    }
    if (joined.size === 0) return true;
    if (joined.size > this.#known.max / 2)
      party.problem = 'a command names too many keys that have to be moved first';
    // A move that fails at once must not be told before this has returned.
    queueMicrotask(() => this.#leave(party, undefined));
    return false;
  }

  #join(party: Party, id: string, { key, db }: KeyAt, from: number): void {
    const other = this.#journeys.get(id);
    if (other !== undefined) return void other.parties.push(party);
    const parts = this.#parts;
    const to = parts.change.placeOf(key, 0, key.length);
    const line = parts.change.lineOf(from);
    const [record, address] = [parseRecord(line), parts.target(to)];
    if (record === undefined || address === undefined) {
      return this.#leave(party, this.#problem(from, to, 'it is not known where that shard is'));
    }
    const coolDown = this.#coolDowns.get(`${from}>${to}`);
    if (coolDown !== undefined && coolDown.until > parts.clock.now()) {
      return this.#leave(party, this.#problem(from, to, coolDown.text));
    }
    const links = { source: parts.link(from), sink: parts.link(to), target: address };
    const move: KeyMove = { key: Buffer.from(key), db, ...links, line, record };
    const journey: Journey = { id, move, from, to, parties: [party] };
    this.#journeys.set(id, journey);
    const exit = this.#exitOf(from);
    exit.waiting.push(journey);
    this.#depart(exit);
  }

  #exitOf(from: number): Exit {
    let exit = this.#exits.get(from);
    if (exit === undefined) this.#exits.set(from, (exit = { waiting: new Fifo(), inFlight: 0 }));
    return exit;
  }

  #depart(exit: Exit): void {
    while (exit.inFlight < IN_FLIGHT_MAX) {
      const journey = exit.waiting.shift();
      if (journey === undefined) return;
      exit.inFlight++;
      moveKey[journey.move.record.method](journey.move, (end) => {
        exit.inFlight--;
        this.#arrived(journey, end);
        this.#depart(exit);
      });
    }
  }

  #arrived(journey: Journey, end: MoveEnd): void {
    const { id, from, to, parties } = journey;
    this.#journeys.delete(id);
    if (end.kind === 'moved') {
      this.moved++;
      this.#known.set(id, true);
    }
    if (end.kind === 'unreachable') {
      const until = this.#parts.clock.now() + COOL_DOWN_MS;
      this.#coolDowns.set(`${from}>${to}`, { until, text: end.text });
    }
    const isNewer = end.kind === 'epoch' && !isOlder(end.text, journey.move.record);
    if (isNewer) this.#parts.reread(from);
    // After a loss or a step of the change the waiter finds out anew; the shard's own state then says what holds.
    const isOver = end.kind === 'moved' || end.kind === 'lost' || isNewer;
    if (!isOver) this.failed++;
    const problem = isOver ? undefined : this.#problem(from, to, wordsOf(end));
    for (const party of parties) this.#leave(party, problem);
  }

  #leave(party: Party, problem: string | undefined): void {
    party.problem ??= problem;
    party.missing--;
    if (party.missing > 0) return;
    if (party.problem === undefined) party.waiter.wake();
    else party.waiter.fail(party.problem);
  }

  #problem(from: number, to: number, text: string): string {
    const { names } = this.#parts.change;
    return `key could not be moved from shard ${names[from]} to shard ${names[to]}: ${text}`;
  }
}

/** A primary that took over without the last step must be told it again; asking until then leads nowhere. */
function isOlder(line: string, than: RingRecord): boolean {
  const record = parseRecord(line);
  return record?.id === than.id && record.seq < than.seq;
}

function wordsOf({ kind, text }: MoveEnd): string {
  if (kind === 'conflict') return 'it is on both; "nearcache reshard run --resume" compares them';
  return kind === 'epoch'
    ? 'its record of the ring has gone back; run "nearcache reshard run --resume"'
    : text;
}
