#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { EXIT_CONFIG, serve } from './cli/serve.ts';
import { helpText } from './config/help.ts';
import { configJsonSchema } from './config/schema.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const [command, ...rest] = process.argv.slice(2);

/** The first word decides; `serve` when there is none. */
async function run(): Promise<number> {
  if (command === '--version' || rest.includes('--version')) {
    console.log(version);
    return 0;
  }
  // Loaded only then: what serves apps has no use for it.
  if (command === 'reshard') return (await import('./cli/reshard.ts')).reshard(rest);
  if (command === '--help' || command === 'help' || rest.includes('--help')) {
    console.log(helpText());
    return 0;
  }
  switch (command) {
    case 'serve':
      return serve(rest, process.env, version);
    case 'config-schema':
      console.log(configJsonSchema());
      return 0;
    default:
      console.error(
        `nearcache: unknown command '${command ?? ''}'; use: serve, reshard, config-schema, --help, --version`,
      );
      return EXIT_CONFIG;
  }
}

process.exitCode = await run();
