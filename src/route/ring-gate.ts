import type { KeyAt, KeyMover, MoveWaiter } from './key-mover.ts';
import { HELD, type RingChange } from './ring-change.ts';

/** One session's wait for its keys. A session has one, since it waits with one command at a time. */
export class GateWait implements MoveWaiter {
  isWaiting = false;
  /** Why the command that waited cannot run; the next `admit` tells it. */
  problem: string | undefined;
  readonly #onWake: () => void;

  /** `onWake`: ask `admit` again. */
  constructor(onWake: () => void) {
    this.#onWake = onWake;
  }

  wake(): void {
    this.isWaiting = false;
    this.#onWake();
  }

  fail(problem: string): void {
    this.problem = problem;
    this.wake();
  }
}

/** go: where `placeOf` says. wait: `wait` is woken later. problem: the command runs nowhere. */
export type Admission = 'go' | 'wait' | { readonly problem: string };

/** Lets commands pass whose keys are where `placeOf` says, lets others wait, and has keys moved.
 *  Cost: nothing while `isOpen`; else what `RingChange.placeOf` and `KeyMover.ready` cost, a key. */
export class RingGate {
  readonly #change: RingChange;
  readonly #mover: KeyMover;
  #held: GateWait[] = [];

  constructor(change: RingChange, mover: KeyMover) {
    this.#change = change;
    this.#mover = mover;
  }

  /** No key has to be moved or waited for: there is nothing to ask. */
  get isOpen(): boolean {
    return this.#change.isQuiet;
  }

  /** May a command on these keys go now? `isPinned`: on a connection that may reach a shard to which nothing else is sent. */
  admit(keys: readonly KeyAt[], wait: GateWait, isPinned: boolean = false): Admission {
    if (wait.isWaiting) return 'wait';
    const { problem } = wait;
    wait.problem = undefined;
    if (problem !== undefined) return { problem };
    for (const { key } of keys) {
      const isHeld = this.#change.placeOf(key, 0, key.length) === HELD;
      if (!isHeld && !(isPinned && !this.#change.isTold(key, 0, key.length))) continue;
      const reason = this.#change.problemOf(key, 0, key.length);
      if (reason !== undefined) return { problem: reason };
      wait.isWaiting = true;
      this.#held.push(wait);
      return 'wait';
    }
    if (this.#mover.ready(keys, wait)) return 'go';
    wait.isWaiting = true;
    return 'wait';
  }

  /** Places have changed. */
  changed(): void {
    const held = this.#held;
    this.#held = [];
    for (const wait of held) wait.wake();
  }
}
