import type { PromiseName } from './promises.ts';
import type { Stage, StageKind, StageShard } from './stage.ts';

/** One kind of failure. */
export interface Scenario {
  readonly name: string;
  /** What is done, for a person. */
  readonly title: string;
  readonly stage: StageKind;
  /** Which shards it is done to. */
  readonly hurts: 'the first' | 'all';
  /** Whether servers have their data when they start again; default true. */
  readonly keepsData?: boolean;
  /** Flags of nearcache, in place of those that all drills use or on top of them. */
  readonly flags?: Readonly<Record<string, string>>;
  /** What is promised besides what every drill promises. */
  readonly promises: readonly PromiseName[];
  /** Do it, and undo it. */
  play(scene: Scene): Promise<void>;
}

/** What a scenario plays with. */
export interface Scene {
  readonly stage: Stage;
  /** Those that the scenario hurts. */
  readonly shards: readonly StageShard[];
  /** How long the failure is to last. */
  readonly faultMs: number;
  /** Do something that they and nearcache should not mind. */
  note(text: string, act: () => void): void;
  /** Do something that hurts each of them. */
  hurt(text: string, act: (shard: StageShard) => Promise<void> | void): Promise<void>;
  /** Undo it; when this is over, they are whole. */
  heal(text: string, act: (shard: StageShard) => Promise<void> | void): Promise<void>;
  /** Wait for a share of the time that the failure is to last. */
  hold(share?: number): Promise<void>;
  /** What was acknowledged until now need not be there any more. */
  loseData(): void;
}
