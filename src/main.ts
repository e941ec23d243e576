#!/usr/bin/env node
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const [command, ...rest] = process.argv.slice(2);

/** The first word decides. Each command loads only what it needs: a health check, which runs every few seconds, must not
 *  load what serves apps. */
async function run(): Promise<number> {
  if (command === '--version' || rest.includes('--version')) {
    console.log(version);
    return 0;
  }
  if (command === 'reshard') return (await import('./cli/reshard.ts')).reshard(rest);
  if (command === 'drill') return (await import('./cli/drill.ts')).drill(rest);
  if (command === 'healthcheck') return (await import('./cli/healthcheck.ts')).healthcheck(rest, process.env);
  if (command === '--help' || command === 'help' || rest.includes('--help')) {
    console.log((await import('./config/help.ts')).helpText());
    return 0;
  }
  switch (command) {
    case 'serve':
      return (await import('./cli/serve.ts')).serve(rest, process.env, version);
    case 'config-schema':
      console.log((await import('./config/schema.ts')).configJsonSchema());
      return 0;
    default:
      console.error(
        `nearcache: unknown command '${command ?? ''}'; use: serve, reshard, drill, healthcheck, config-schema, --help, --version`,
      );
      return (await import('./cli/serve.ts')).EXIT_CONFIG;
  }
}

process.exitCode = await run();
