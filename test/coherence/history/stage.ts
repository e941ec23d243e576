import type { Random } from '../../fuzz/random.ts';
import { Failure, type Outcome, type Reply } from './client.ts';
import type { History, Operation, Token, Via, Violation } from './history.ts';
import type { Keyspace, Register } from './keyspace.ts';
import type { PermissionChange } from './permissions.ts';
import type { World } from './world.ts';

/** What everybody in a run works with, and how they record what they saw. */
export class Stage {
  readonly world: World;
  readonly history: History;
  readonly keyspace: Keyspace;
  /** What was done to the permissions of `permissions.ts`'s user, and which connections are that user's. */
  readonly permissions: PermissionChange[] = [];
  readonly tenants: Set<number> = new Set();
  /** Goes up by one when all data is lost. */
  epoch = 1;
  isOver = false;
  /** How often a fault has struck. */
  strikes = 0;

  constructor(world: World, history: History, keyspace: Keyspace) {
    this.world = world;
    this.history = history;
    this.keyspace = keyspace;
  }

  /** Note a read. Shape: `isHit` as `hitTest` said. */
  read(register: Register, token: Token, operation: Operation, isHit: boolean): void {
    register.history.reads.push({ ...operation, token, isHit });
  }

  /** Note a write of a counter by what Redis answered. */
  counted(register: Register, reply: Reply | undefined, operation: Operation): void {
    if (typeof reply === 'string' && /^\d+$/.test(reply)) {
      register.history.writes.push({ ...operation, version: Number(reply), token: reply });
    } else {
      register.history.unknown.push(operation.start);
    }
  }

  /** Note a failure; true when it is one. */
  failed(outcome: Outcome, operation: Operation): boolean {
    const { reply } = outcome;
    if (!(reply instanceof Failure)) return false;
    this.history.failed({ ...operation, end: Math.min(operation.end, performance.now()) }, reply.message);
    return true;
  }

  violated(violation: Violation): void {
    this.history.violations.push(violation);
  }

  /** Call before an app sends this read; what it returns, when the reply is there, says whether Redis was certainly not asked. */
  hitTest(db: number, request: readonly string[]): () => boolean {
    const { reads } = this.world;
    const before = reads.mark(db, request);
    return () => before !== undefined && before === reads.mark(db, request);
  }
}

export function operationOf(
  { start, end, connection, order }: Outcome,
  via: Via,
  command: string,
): Operation {
  return { start, end, connection, order, via, command };
}

/** A reply to a read as a token: GETRANGE shows a missing value as an empty one. */
export function tokenOf(reply: Reply | undefined): string | null {
  return typeof reply === 'string' && reply !== '' ? reply : null;
}

export function pauseMs(random: Random, mean: number): number {
  return random.next() * 2 * mean;
}
