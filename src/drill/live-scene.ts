import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { StaleSince } from './load/read-check.ts';
import type { DrillEvent } from './record.ts';
import type { Scene } from './scenario.ts';
import type { Stage, StageShard } from './stage.ts';

/** Units: ms. */
export interface LiveSceneOptions {
  readonly stage: Stage;
  readonly shards: readonly StageShard[];
  readonly faultMs: number;
  readonly clock: Clock;
  /** Called for each thing that is done, when it is done. */
  readonly onEvent: ((event: DrillEvent) => void) | undefined;
  /** Called when what is on the shard may be gone. */
  readonly onLoss: (shard: string) => void;
}

type Act = Parameters<Scene['hurt']>[1];

/** A scene that remembers when things were done. Units: ms of the monotonic clock; Infinity = not yet. */
export class LiveScene implements Scene {
  readonly events: DrillEvent[] = [];
  /** The first thing that hurts began, and was done. */
  hurtFrom: number = Infinity;
  hurtAt: number = Infinity;
  /** The last thing was undone. */
  healedAt: number = Infinity;
  readonly #options: LiveSceneOptions;
  #startedAt: number;

  constructor(options: LiveSceneOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  get stage(): Stage {
    return this.#options.stage;
  }

  get shards(): readonly StageShard[] {
    return this.#options.shards;
  }

  get faultMs(): number {
    return this.#options.faultMs;
  }

  /** Since when it goes on, for the events. */
  begin(): void {
    this.#startedAt = this.#options.clock.now();
  }

  note(text: string, act: () => void): void {
    act();
    this.#tell(text);
  }

  async hurt(text: string, act: Act): Promise<void> {
    const { clock } = this.#options;
    this.hurtFrom = Math.min(this.hurtFrom, clock.now());
    // Whole is what it is after the last thing that was done.
    this.healedAt = Infinity;
    await this.#act(text, act);
    this.hurtAt = Math.min(this.hurtAt, clock.now());
  }

  async heal(text: string, act: Act): Promise<void> {
    await this.#act(text, act);
    this.healedAt = this.#options.clock.now();
  }

  async hold(share = 1): Promise<void> {
    await delay(this.faultMs * share);
  }

  loseData(): void {
    for (const { name } of this.shards) this.#options.onLoss(name);
  }

  /** Until they are whole and had their time to recover, replies of the hurt shards may be stale as declared. */
  staleSince(recoveryMs: number): StaleSince {
    const hurt = new Set(this.shards.map(({ name }) => name));
    return (shard, from, to) => {
      const isWithin = to >= this.hurtFrom && from < this.healedAt + recoveryMs;
      return isWithin && hurt.has(shard) ? this.hurtFrom : undefined;
    };
  }

  async #act(text: string, act: Act): Promise<void> {
    await Promise.all(
      this.shards.map(async (shard) => {
        await act(shard);
      }),
    );
    this.#tell(`${this.shards.map(({ name }) => name).join(', ')} ${text}`);
  }

  #tell(text: string): void {
    const { clock, onEvent } = this.#options;
    const event = { atMs: Math.round(clock.now() - this.#startedAt), text };
    this.events.push(event);
    onEvent?.(event);
  }
}
