import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { playAll, World, type WorldOptions } from '../support/ring-model/world.ts';

const GET = ['GET', 'k'];
const DEL = ['DEL', 'k'];
const SET = ['SET', 'k', '70'];
const SETNX = ['SETNX', 'k', '90'];
const INCR = ['INCR', 'k'];

const commands = { GET, DEL, SET, SETNX, INCR };

describe('two sidecars on a key that leaves its shard', () => {
  for (const method of ['migrate', 'copy'] as const) {
    it(`lose nothing and bring nothing back in any order of their steps (${method})`, async () => {
      let schedules = 0;
      for (const first of [DEL, INCR]) {
        for (const second of [GET, SETNX]) {
          for (const other of Object.values(commands)) {
            const played = await playAll(
              {
                method,
                commands: [[first, second], [other]],
                initial: '5',
                state: 'migrating',
                isEager: true,
              },
              5000,
            );
            expect(played.wrong).toBeUndefined();
            schedules += played.schedules;
          }
        }
      }
      expect(schedules).toBeGreaterThan(1000);
    });

    it(`do so with the tool moving the same key (${method})`, async () => {
      const options: WorldOptions = {
        method,
        commands: [[DEL, GET], [INCR]],
        initial: '5',
        state: 'migrating',
        hasTool: true,
      };
      await playRandomly(options, 3000);
    });

    it(`do so through all the steps of a change, one of them crashing or not (${method})`, async () => {
      for (const mayCrash of [false, true]) {
        const options: WorldOptions = {
          method,
          commands: [
            [INCR, DEL, INCR],
            [INCR, GET, SETNX],
          ],
          initial: '5',
          state: 'prepared',
          hasTool: true,
          mayCrash,
        };
        await playRandomly(options, 3000);
      }
    });
  }

  it('would lose something if the old owner were left without a hold', async () => {
    const faulty: WorldOptions = {
      method: 'migrate',
      commands: [[INCR], [INCR]],
      initial: '5',
      state: 'prepared',
      hasTool: true,
      faults: { skipsHold: true },
    };
    expect(await findWrong(faulty)).toBeDefined();
  });

  it('would lose something if a sidecar said that it holds while a command of its is out', async () => {
    const faulty: WorldOptions = {
      method: 'migrate',
      commands: [[INCR], [INCR]],
      initial: '5',
      state: 'prepared',
      hasTool: true,
      faults: { forgetsOutstanding: true },
    };
    expect(await findWrong(faulty)).toBeDefined();
  });

  it('would bring something back if a late RESTORE were not told from the first', async () => {
    const faulty: WorldOptions = {
      method: 'copy',
      commands: [[DEL], [GET]],
      initial: '5',
      state: 'migrating',
      isEager: true,
      faults: { ignoresMarks: true },
    };
    expect((await playAll(faulty, 60_000)).wrong).toContain('no order explains');
  });

  it('would miss the value if a command did not move the key first', async () => {
    const faulty: WorldOptions = {
      method: 'migrate',
      commands: [[INCR], [GET]],
      initial: '5',
      state: 'migrating',
      isEager: true,
      faults: { movesNothing: true },
    };
    expect((await playAll(faulty, 60_000)).wrong).toBeDefined();
  });
});

async function playRandomly(options: WorldOptions, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.noBias(fc.infiniteStream(fc.nat())), async (choices) => {
      const world = new World(options);
      await world.play((count) => (choices.next().value as number) % count);
      expect(world.verdict).toBeUndefined();
    }),
    { numRuns: runs, interruptAfterTimeLimit: 8000 },
  );
}

async function findWrong(options: WorldOptions): Promise<string | undefined> {
  for (const seed of fc.sample(fc.noBias(fc.infiniteStream(fc.nat())), { numRuns: 2000, seed: 1 })) {
    const world = new World(options);
    await world.play((count) => (seed.next().value as number) % count);
    const wrong = world.verdict;
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
