import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // For a machine that is busy with other things; who waits for something fails sooner, and says for what.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    // Real Redis processes and real sockets on two cores: files one after another keep runs repeatable.
    fileParallelism: false,
    pool: 'forks',
  },
});

export default config;
