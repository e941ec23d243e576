import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config';

const MUTANTS = 'test/coherence/mutants/mutants.test.ts';
/** Tests that compute instead of waiting for a Redis. */
const COMPUTING = [
  'test/unit/**/*.test.ts',
  'test/property/**/*.test.ts',
  'test/coherence/interleavings.test.ts',
  'test/tidy.test.ts',
];

type Files = NonNullable<TestProjectInlineConfiguration['test']>;

/** Groups run one after the other. */
function group(order: number, maxWorkers: number, files: Files): TestProjectInlineConfiguration {
  return { extends: true, test: { ...files, maxWorkers, sequence: { groupOrder: order } } };
}

const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    // For a machine that is busy with other things; who waits for something fails sooner, and says for what.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    projects: [
      // Real Redis processes and real sockets mostly wait, so that two cores have room for two files at a time. What computes
      // would take that room, and so would the mutants, which are at work on two copies of this project themselves.
      group(0, 2, {
        name: 'redis',
        include: ['test/**/*.test.ts'],
        exclude: [...COMPUTING, MUTANTS],
        setupFiles: ['test/support/own-ports.ts'],
      }),
      group(1, 2, { name: 'computing', include: COMPUTING }),
      group(2, 1, { name: 'mutants', include: [MUTANTS] }),
    ],
  },
});

export default config;
