import { moveKey } from '../../../src/route/key-move.ts';
import type { RingPlan } from '../../../src/route/ring-change.ts';
import {
  type MoveMethod,
  nextRecord,
  printRecord,
  type RingRecord,
  type RingState,
} from '../../../src/route/ring-record.ts';
import { parseReport, seenOf } from '../../../src/route/ring-report.ts';
import { ringFingerprint } from '../../../src/route/ring.ts';
import { ManualClock } from '../manual-clock.ts';
import { isLinearizable, type Operation } from './history.ts';
import { type ModelFaults, ModelLink, ModelServer } from './server.ts';
import { ModelSidecar } from './sidecar.ts';

export interface WorldOptions {
  readonly method: MoveMethod;
  /** The commands of each sidecar, on the key `k`. */
  readonly commands: readonly (readonly (readonly string[])[])[];
  readonly initial?: string;
  /** Where the change is when it begins. */
  readonly state: RingState;
  /** Does the tool take part? It makes all steps from `state` on. */
  readonly hasTool?: boolean;
  /** See ModelLink. */
  readonly isEager?: boolean;
  /** The first sidecar may go at any time, with requests on their way. */
  readonly mayCrash?: boolean;
  readonly faults?: ModelFaults;
}

const placing = { distribution: 'modula', hash: 'fnv1a_64', hashTag: '' } as const;
const old: RingPlan = { ...placing, shards: [{ name: 'a', weight: 1 }] };
/** In which `k` belongs to b. */
const next: RingPlan = { ...placing, shards: [{ name: 'b', weight: 1 }] };
const STEPS_MAX = 400;

/** Two shards, some sidecars and the tool, whose every step is chosen from outside. */
export class World {
  readonly servers: readonly ModelServer[];
  readonly sidecars: readonly ModelSidecar[];
  readonly #options: WorldOptions;
  readonly #toolLinks: readonly ModelLink[];
  #record: RingRecord;
  #isMoving = false;
  #hasMoved = false;
  #time = 0;
  #crashed = false;

  constructor(options: WorldOptions) {
    this.#options = options;
    const faults = options.faults ?? {};
    const servers: ModelServer[] = [];
    servers.push(new ModelServer(servers, faults), new ModelServer(servers, faults));
    this.servers = servers;
    const fingerprints = { from: ringFingerprint(old, old.shards), to: ringFingerprint(next, next.shards) };
    this.#record = { id: 'c', seq: 1, state: options.state, ...fingerprints, method: options.method };
    const [a, b] = servers as [ModelServer, ModelServer];
    a.line = printRecord(this.#record);
    b.line = printRecord({ ...this.#record, state: 'migrating' });
    if (options.initial !== undefined) a.values.set('k', options.initial);
    this.#toolLinks = servers.map((server) => new ModelLink(server, options.isEager));
    const parts = {
      clock: new ManualClock(),
      now: () => this.#time,
      faults,
      isEager: options.isEager === true,
    };
    this.sidecars = options.commands.map((commands, index) => {
      const sidecar = new ModelSidecar(`s${index}`, { old, next }, servers, commands, parts);
      servers.forEach((server, shard) => sidecar.connect(shard, server));
      return sidecar;
    });
  }

  /** What can happen next, in an order that is always the same. */
  get choices(): (() => void)[] {
    const choices: (() => void)[] = [];
    for (const [index, sidecar] of this.sidecars.entries()) {
      const isGone = this.#crashed && index === 0;
      if (!isGone && sidecar.next !== undefined) choices.push(sidecar.next);
      for (const link of sidecar.links) choices.push(...link.steps);
      if (isGone) continue;
      // It looks only when there is something new, or it would for ever.
      if (sidecar.change.lineOf(0) !== this.servers[0]?.line && sidecar.ringLinks[0]?.steps.length === 0) {
        choices.push(() => sidecar.poll(0));
      }
    }
    for (const link of this.#toolLinks) choices.push(...link.steps);
    if (this.#options.hasTool === true && this.#toolLinks.every(({ steps }) => steps.length === 0)) {
      const step = this.#toolStep();
      if (step !== undefined) choices.push(step);
    }
    if (this.#options.mayCrash === true && !this.#crashed) choices.push(() => this.#crash());
    return choices;
  }

  /** Take steps until none is left. Shape: `choose` gets how many there are and answers which. */
  async play(choose: (count: number) => number): Promise<void> {
    for (let steps = 0; ; steps++) {
      const { choices } = this;
      if (choices.length === 0) return;
      if (steps === STEPS_MAX) throw new Error('the model does not come to rest');
      this.#time++;
      choices[choose(choices.length)]?.();
      await Promise.resolve();
    }
  }

  /** What is wrong now that all is at rest; undefined = nothing. */
  get verdict(): string | undefined {
    const [a, b] = this.servers as [ModelServer, ModelServer];
    const operations: Operation[] = this.sidecars.flatMap(({ history }) => history);
    const failures = this.sidecars.flatMap((sidecar) => sidecar.failures);
    if (failures.length > 0) return `a command failed: ${failures[0]}`;
    const stuck = this.sidecars.filter(
      (sidecar, index) => !(this.#crashed && index === 0) && !sidecar.isDone,
    );
    if (stuck.length > 0) return 'a command was never answered';
    if (a.values.has('k') && b.values.has('k')) return 'the key is on both shards';
    const value = a.values.get('k') ?? b.values.get('k');
    const end: Operation = {
      args: ['GET', 'k'],
      began: Number.MAX_VALUE,
      ended: Number.MAX_VALUE,
      reply: value,
    };
    if (!isLinearizable(this.#options.initial, [...operations, end])) {
      return `no order explains ${JSON.stringify([...operations, end])}`;
    }
    return undefined;
  }

  #crash(): void {
    this.#crashed = true;
    const [gone] = this.sidecars as [ModelSidecar];
    for (const link of gone.links) link.isDeaf = true;
    // Its connections end once what it had sent has arrived: until then it is still seen.
  }

  #toolStep(): (() => void) | undefined {
    const [a] = this.servers as [ModelServer, ModelServer];
    const { state } = this.#record;
    const step = (to: RingState) => (): void => {
      const after = nextRecord(this.#record, to);
      a.line = printRecord(after);
      this.#record = after;
    };
    switch (state) {
      case 'prepared':
        return this.#options.faults?.skipsHold === true ? step('migrating') : step('hold');
      case 'hold':
        return this.#allHeld() ? step('migrating') : undefined;
      case 'migrating':
        if (this.#hasMoved) return step('done');
        return this.#isMoving ? undefined : () => this.#move();
      case 'done':
        return undefined;
    }
  }

  #allHeld(): boolean {
    const seen = seenOf(this.#record);
    const [a] = this.servers as [ModelServer];
    return this.sidecars.every((sidecar, index) => {
      const isGone = this.#crashed && index === 0;
      // A connection that has ended can bring nothing more.
      if (isGone && sidecar.links.every(({ steps }) => steps.length === 0)) return true;
      const report = parseReport(a.names.get(sidecar.ringLinks[0] as ModelLink) ?? '');
      return report?.ack === 'held' && report.seen === seen;
    });
  }

  #move(): void {
    this.#isMoving = true;
    const [source, sink] = this.#toolLinks as [ModelLink, ModelLink];
    const target = { host: 'model', port: 1 };
    const move = { key: Buffer.from('k'), db: 0, source, sink, target, line: printRecord(this.#record) };
    moveKey[this.#record.method]({ ...move, record: this.#record }, (end) => {
      if (end.kind !== 'moved') throw new Error(`the tool could not move the key: ${end.text}`);
      this.#hasMoved = true;
    });
  }
}

/** Play every schedule there is. Answers how many, and the first thing that went wrong.
 *  Bounds: gives up with an error beyond `max`. */
export async function playAll(
  options: WorldOptions,
  max: number,
): Promise<{ schedules: number; wrong: string | undefined }> {
  const path: { choice: number; count: number }[] = [];
  for (let schedules = 1; schedules <= max; schedules++) {
    const world = new World(options);
    let depth = 0;
    await world.play((count) => {
      const at = path[depth] ?? { choice: 0, count };
      path[depth++] = at;
      return at.choice;
    });
    const wrong = world.verdict;
    if (wrong !== undefined) return { schedules, wrong };
    path.length = depth;
    while (path.length > 0 && (path.at(-1)?.choice as number) + 1 === path.at(-1)?.count) path.pop();
    const last = path.at(-1);
    if (last === undefined) return { schedules, wrong: undefined };
    last.choice++;
  }
  throw new Error(`more than ${max} schedules`);
}
