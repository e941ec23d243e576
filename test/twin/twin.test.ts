import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { startNearcache, type Nearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { readCommandFacts, type CommandFacts } from './command-facts.ts';
import { differencesBetween } from './compare.ts';
import { mistakes } from './corpus/mistakes.ts';
import { Coverage, type Kind } from './coverage.ts';
import { exceptions } from './exceptions.ts';
import { run, type RunOptions, type Target } from './run.ts';
import { argumentsOf, linesOf, type Group, type Protocol, type Step } from './script.ts';
import { shapes, stepsIn } from './shapes.ts';
import { stages, type Stage } from './stages.ts';

// The same Redis answers directly and through nearcache: what depends on its hash seed, its version or its
// configuration is then the same on both ways, and needs no entry among the differences.
let redis: RedisServer;
let other: RedisServer;
let nearcaches: Nearcache[];
let targets: Target[];
let facts: CommandFacts;
let coverage: Coverage;

const protocols: readonly Protocol[] = [2, 3];

/** Redis against itself: what differs then is the fault of a case, not of nearcache. */
const selfCheck = process.env['NEARCACHE_TWIN'] === 'self';

const shownDifferences = 20;

const modes = [
  { name: 'nearcache', flags: [] },
  { name: 'nearcache without its cache', flags: ['--cache-size', '0'] },
];

beforeAll(async () => {
  other = await startRedis();
  facts = await readCommandFacts(other.port);
  coverage = new Coverage(facts);
});

afterAll(() => other.stop());

async function begin(stage: Stage): Promise<void> {
  redis = await stage.start();
  if (stage.prepare !== undefined) await prepare(stage.prepare);
  const flags = stage.flags ?? [];
  nearcaches = [];
  if (selfCheck) {
    targets = [{ name: 'Redis again', port: redis.port, redisPorts: [redis.port] }];
    return;
  }
  nearcaches = await Promise.all(
    modes.map((mode) => startNearcache({ upstream: redis.url, flags: [...flags, ...mode.flags] })),
  );
  targets = nearcaches.map(({ port }, i) => ({ name: modes[i]?.name ?? '', port, redisPorts: [redis.port] }));
}

/** The last words of the nearcaches that have ended by themselves. */
function lastWords(): string[] {
  return nearcaches
    .filter(({ hasEnded }) => hasEnded)
    .map(({ logs }) => `nearcache has ended:\n${logs.slice(-2_000)}`);
}

async function end(): Promise<void> {
  await Promise.all([...nearcaches, redis].map((each) => each.stop()));
}

async function prepare({ lines, ready }: NonNullable<Stage['prepare']>): Promise<void> {
  const connection = await connectRaw({ port: redis.port });
  for (const line of lines) await connection.call(...argumentsOf(line));
  const last = argumentsOf(lines.at(-1) ?? '');
  const deadline = performance.now() + 40_000;
  while (!(await connection.call(...last)).includes(ready)) {
    if (performance.now() > deadline) throw new Error(`no ${ready} within 40 s`);
    await delay(50);
  }
  connection.close();
}

/** What differed, and where it did. */
type Found = Map<string, string[]>;

/** Runs the steps at Redis, then at each target, and adds all that differs to `found`. */
async function twin(found: Found, title: string, steps: readonly Step[], options: RunOptions): Promise<void> {
  const withNames = { ...options, names: { other: String(other.port) } };
  const expected = await run({ name: 'Redis', port: redis.port, redisPorts: [redis.port] }, steps, withNames);
  coverage.add(expected);
  for (const target of targets) {
    const where = `${target.name}, RESP${options.protocol}, ${title}`;
    for (const difference of differencesBetween(expected, await run(target, steps, withNames))) {
      found.set(difference, [...(found.get(difference) ?? []), where]);
    }
  }
}

function expectNone(found: Found): void {
  const texts = [...found].map(([difference, where]) => `${difference}\n    ${where.join('\n    ')}`);
  expect([...texts.slice(0, shownDifferences), ...lastWords()].join('\n')).toBe('');
}

function testGroup(group: Group, password: string | undefined): void {
  for (const bare of [false, true]) {
    for (const [title, plain] of Object.entries((bare ? group.bare : group.plain) ?? {})) {
      test(title, async () => {
        const found: Found = new Map();
        for (const protocol of protocols) {
          for (const shape of shapes) {
            const steps = stepsIn(shape, linesOf(plain), facts);
            await twin(found, shape, steps, { protocol, bare, password });
          }
        }
        expectNone(found);
      });
    }
  }
  for (const [title, { steps, protocols: only = protocols, ...options }] of Object.entries(
    group.scripts ?? {},
  )) {
    test(title, async () => {
      const found: Found = new Map();
      for (const protocol of only) {
        await twin(found, 'as it stands', steps, { protocol, password, ...options });
      }
      expectNone(found);
    });
  }
}

for (const stage of stages) {
  describe(stage.name, () => {
    beforeAll(() => begin(stage));
    // A nearcache that has crashed has failed its case; the next ones deserve a new one.
    beforeEach(async () => {
      if (!nearcaches.some(({ hasEnded }) => hasEnded)) return;
      await end();
      await begin(stage);
    });
    afterAll(end);
    for (const group of stage.groups) describe(group.name, () => testGroup(group, stage.password));
    if (stage !== stages[0]) return;
    describe('mistakes', () => {
      for (const [title, make] of Object.entries(mistakes)) {
        test(title, async () => {
          const found: Found = new Map();
          for (const protocol of protocols) await twin(found, title, make(facts), { protocol });
          expectNone(found);
        });
      }
    });
  });
}

describe('every command of COMMAND', () => {
  const kinds = { success: 'succeeds', empty: 'has a nil or empty answer', wrongtype: 'meets a wrong type' };
  for (const [kind, what] of Object.entries(kinds) as [Kind, string][]) {
    test(`${what} in some case or is listed with a reason`, () => {
      const missing = coverage.missing(kind, exceptions[kind]);
      const needless = coverage.needless(kind, exceptions[kind]);
      expect({ missing, needless }).toEqual({ missing: [], needless: [] });
    });
  }
});
