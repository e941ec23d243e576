import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { startNearcache, type Nearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { topologies, type Behind, type Topology, type TopologyKind } from '../support/topologies.ts';
import { answered, maskedApart, namesOf, rowFor, unfit, unqueued, unseen } from './apart.ts';
import { CommandFacts, readCommandFacts } from './command-facts.ts';
import { differencesBetween } from './compare.ts';
import { groups } from './corpus/groups.ts';
import { mistakes } from './corpus/mistakes.ts';
import { exceptions } from './exceptions.ts';
import { run, shown, type Exchange, type RunOptions, type Target } from './run.ts';
import { argumentsOf, linesOf, type Group, type Line, type Protocol, type Step } from './script.ts';
import { stepsIn, type Shape } from './shapes.ts';
import { place, type Tags } from './together.ts';

// What one plain Redis answers is compared with what nearcache answers that has several servers behind it.
let twin: RedisServer;
let other: RedisServer;
let facts: CommandFacts;

/** How a plain case runs. Each is sent in both protocols, each protocol with and without the near-cache. */
interface Round {
  readonly shape: Shape;
  readonly protocol: Protocol;
  readonly isCached: boolean;
}

const rounds: readonly Round[] = [
  { shape: 'one by one', protocol: 2, isCached: true },
  { shape: 'in one write', protocol: 3, isCached: false },
  { shape: 'in one write', protocol: 2, isCached: false },
  { shape: 'one by one', protocol: 3, isCached: true },
  { shape: 'EXEC in one write', protocol: 3, isCached: true },
  { shape: 'EXEC one by one', protocol: 2, isCached: false },
];

const protocols: readonly Protocol[] = [2, 3];
const shownDifferences = 20;

beforeAll(async () => {
  [twin, other] = await Promise.all([startRedis({ args: ['--hz', '100'] }), startRedis()]);
  facts = await readCommandFacts(other.port);
});

afterAll(() => Promise.all([twin.stop(), other.stop()]));

/** One topology with a nearcache that caches and one that does not. */
class Stage {
  readonly kind: TopologyKind;
  readonly #topology: Topology;
  #behind: Behind | undefined;
  #nearcaches: Nearcache[] = [];
  #tags: Tags = { home: '', any: [] };
  /** In which protocols a command has succeeded, and which have been refused as they should. */
  readonly #seen = new Map<string, Set<Protocol>>();
  readonly #refused = new Set<string>();

  constructor(topology: Topology) {
    this.#topology = topology;
    this.kind = topology.kind;
  }

  /** Behind Sentinels there is one server, of which the other tests have tried everything. */
  get rounds(): readonly Round[] {
    return this.kind === 'sentinel' ? rounds.filter((_, i) => i !== 2 && i !== 3) : rounds;
  }

  get hasEnded(): boolean {
    return this.#nearcaches.some(({ hasEnded }) => hasEnded);
  }

  async begin(): Promise<void> {
    this.#behind = await this.#topology.start();
    await this.#serve();
    this.#tags = await findTags(this.#nearcaches[0] as Nearcache, this.#behind.ports);
  }

  async #serve(): Promise<void> {
    const { upstream } = this.#behind as Behind;
    this.#nearcaches = await Promise.all(
      [[], ['--cache-size', '0']].map((flags) => startNearcache({ upstream, flags })),
    );
  }

  /** A nearcache that has crashed has failed its case; the next ones deserve a new one. */
  async serveAgain(): Promise<void> {
    if (!this.hasEnded) return;
    await Promise.all(this.#nearcaches.map((each) => each.stop()));
    await this.#serve();
  }

  async end(): Promise<void> {
    await Promise.all(
      [...this.#nearcaches, ...(this.#behind ? [this.#behind] : [])].map((each) => each.stop()),
    );
  }

  /** Takes the steps at the one Redis and through nearcache; what differed. */
  async compare(steps: readonly Step[], isCached: boolean, options: RunOptions): Promise<string[]> {
    const isSame = this.kind === 'sentinel';
    const placed = isSame ? { steps, fixture: undefined } : place(steps, this.#tags);
    const with_ = {
      ...options,
      names: { other: String(other.port) },
      ...(placed.fixture && { fixture: placed.fixture }),
    };
    const nearcache = this.#nearcaches[isCached ? 0 : 1] as Nearcache;
    const { ports } = this.#behind as Behind;
    const target: Target = { name: 'nearcache', port: nearcache.port, redisPorts: ports };
    // Behind Sentinels there is one Redis after all, which can be asked itself.
    const port = isSame ? (ports[0] as number) : twin.port;
    const one: Target = { name: 'Redis', port, redisPorts: [port] };
    const plain = placed.steps.flatMap((step) => this.#withoutRefused(step));
    // A client all of whose commands are refused is never heard of.
    const noPing = plain.length === 0 || options.noPing === true;
    const expected = await run(one, plain, { ...with_, noPing });
    const got = await run(target, placed.steps, { ...with_, noPing });
    return this.#judge(expected, got, options.protocol);
  }

  /** Commands that should have succeeded in both protocols and have not, and entries of the tables that are needless. */
  get uncovered(): { missing: string[]; needless: string[] } {
    const excused = unseen[this.kind].flatMap(({ commands }) => commands);
    const isExcused = (name: string): boolean => excused.includes(name) || name in exceptions.success;
    const missing = [...facts.all.values()]
      .filter((fact) => (!fact.isContainer || fact.name === 'command') && !isExcused(fact.name))
      .map(({ name }) => name)
      .filter((name) => !this.#refused.has(name) && this.#seen.get(name)?.size !== protocols.length);
    const needless = excused.filter(
      (name) => this.#refused.has(name) || this.#seen.get(name)?.size === protocols.length,
    );
    return { missing, needless };
  }

  isRefused(line: Line): boolean {
    return rowFor(this.kind, argumentsOf(line))?.judged.kind === 'refused';
  }

  /** The lines that can be sent in this shape. */
  linesIn(shape: Shape, lines: readonly Line[]): readonly Line[] {
    if (this.kind === 'sentinel' || !shape.startsWith('EXEC')) return lines;
    return lines.filter(
      (line) => !this.isRefused(line) && !namesOf(argumentsOf(line)).some((name) => unqueued.has(name)),
    );
  }

  /** The commands of which each may be queued by a MULTI. */
  get queueable(): CommandFacts {
    if (this.kind === 'sentinel') return facts;
    const all = [...facts.all].filter(([name]) => {
      const args = name.split('|');
      // A channel is on a shard of its own.
      return !this.isRefused(args) && !unqueued.has(name) && !name.endsWith('publish');
    });
    return new CommandFacts(new Map(all));
  }

  fits(title: string): boolean {
    return !unfit.some((each) => each.title === title && each.on.includes(this.kind));
  }

  #withoutRefused(step: Step): Step[] {
    if (typeof step === 'string' || !('on' in step || 'until' in step)) {
      return this.isRefused(step) ? [] : [step];
    }
    if ('pipeline' in step) {
      const pipeline = step.pipeline.filter((line) => !this.isRefused(line));
      return pipeline.length > 0 ? [{ ...step, pipeline }] : [];
    }
    return 'send' in step && this.isRefused(step.send) ? [] : [step];
  }

  #judge(expected: readonly Exchange[], got: readonly Exchange[], protocol: Protocol): string[] {
    const found: string[] = [];
    const compared = got.filter((exchange) => {
      const judged = rowFor(this.kind, exchange.args)?.judged;
      if (judged?.kind !== 'refused') return true;
      const name = facts.find(exchange.args)?.name ?? '';
      if (judged.error.test(exchange.frame.toString('latin1'))) this.#refused.add(name);
      else
        found.push(`${exchange.label}\n    expected ${judged.error}\n    got      ${shown(exchange.frame)}`);
      return false;
    });
    for (const exchange of compared) this.#note(exchange, protocol);
    const mask = (args: Exchange['args'], frame: Buffer): Buffer => maskedApart(this.kind, args, frame);
    const wanted = expected.map((each) =>
      rowFor(this.kind, each.args)?.judged.kind === 'answers' ? { ...each, frame: answered } : each,
    );
    return [...found, ...differencesBetween(wanted, compared, mask)];
  }

  #note({ args, frame }: Exchange, protocol: Protocol): void {
    const name = facts.find(args)?.name;
    if (name === undefined || /^(-|\+QUEUED)/.test(frame.toString('latin1', 0, 7))) return;
    this.#seen.set(name, (this.#seen.get(name) ?? new Set()).add(protocol));
  }
}

/** Hash tags by where they are: `any` has one of each server, the first of which is the home shard's. */
async function findTags(nearcache: Nearcache, ports: readonly number[]): Promise<Tags> {
  const client = await connectRaw(nearcache);
  const found: (string | undefined)[] = ports.map(() => undefined);
  for (let i = 0; found.includes(undefined); i++) {
    const tag = `{:${i}}`;
    await client.call('SET', `${tag}?`, 'v');
    const sizes = await Promise.all(ports.map(sizeOf));
    found[sizes.indexOf(1)] ??= tag;
    await client.call('FLUSHALL');
  }
  client.close();
  const any = found as string[];
  return { home: any[0] as string, any: any.toReversed() };
}

async function sizeOf(port: number): Promise<number> {
  const redis = await connectRaw({ port });
  const reply = await redis.call('DBSIZE');
  redis.close();
  return Number(reply.toString().slice(1));
}

type Found = Map<string, string[]>;

function note(found: Found, where: string, differences: readonly string[]): void {
  for (const difference of differences) found.set(difference, [...(found.get(difference) ?? []), where]);
}

function expectNone(found: Found): void {
  const texts = [...found].map(([difference, where]) => `${difference}\n    ${where.join('\n    ')}`);
  expect(texts.slice(0, shownDifferences).join('\n')).toBe('');
}

function testGroup(stage: Stage, group: Group): void {
  for (const bare of [false, true]) {
    for (const [title, plain] of Object.entries((bare ? group.bare : group.plain) ?? {})) {
      if (!stage.fits(title)) continue;
      test(title, async () => {
        const found: Found = new Map();
        for (const { shape, protocol, isCached } of stage.rounds) {
          const steps = stepsIn(shape, stage.linesIn(shape, linesOf(plain)), facts);
          const where = `${shape}, RESP${protocol}, ${isCached ? 'cached' : 'not cached'}`;
          note(found, where, await stage.compare(steps, isCached, { protocol, bare }));
        }
        expectNone(found);
      });
    }
  }
  for (const [title, { steps, protocols: only = protocols, ...options }] of Object.entries(
    group.scripts ?? {},
  )) {
    if (!stage.fits(title)) continue;
    test(title, async () => {
      const found: Found = new Map();
      for (const protocol of only) {
        note(found, `RESP${protocol}`, await stage.compare(steps, protocol === 2, { protocol, ...options }));
      }
      expectNone(found);
    });
  }
}

for (const topology of topologies) {
  describe(topology.name, () => {
    const stage = new Stage(topology);
    beforeAll(() => stage.begin());
    beforeEach(() => stage.serveAgain());
    afterAll(() => stage.end());
    for (const group of groups) describe(group.name, () => testGroup(stage, group));
    describe('mistakes', () => {
      for (const [title, make] of Object.entries(mistakes)) {
        test(title, async () => {
          const found: Found = new Map();
          const given = title.includes('abort') ? stage.queueable : facts;
          note(found, 'RESP2', await stage.compare(make(given), true, { protocol: 2 }));
          expectNone(found);
        });
      }
    });
    test('every command has been seen in both protocols, or is in a table with its reason', () => {
      expect(stage.uncovered).toEqual({ missing: [], needless: [] });
    });
  });
}
