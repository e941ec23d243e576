import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real Redis processes and real sockets on two cores: files one after another keep runs repeatable.
    fileParallelism: false,
    pool: 'forks',
  },
});

export default config;
