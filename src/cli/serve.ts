import { readFileSync } from 'node:fs';
import { App } from '../app.ts';
import { createLogger } from '../base/log.ts';
import { keepAllocationsYoung } from '../base/pretenuring.ts';
import { lowerGarbageCollectors } from '../base/worker-priority.ts';
import { loadConfig } from '../config/load.ts';

export const EXIT_CONFIG = 2;
export const EXIT_FAILED = 1;

/** `nearcache serve`: run until SIGTERM or SIGINT (SIGINT, or a second signal: serve no longer); SIGHUP reads the configuration again. Resolves with the exit code: 0 clean stop, 2 configuration error (all
 *  mistakes printed, one a line), 1 anything else. */
export async function serve(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  version: string,
): Promise<number> {
  const loaded = loadConfig(argv, env, (path) => readFileSync(path, 'utf8'));
  if ('problems' in loaded) {
    for (const problem of loaded.problems) console.error(`nearcache: ${problem}`);
    return EXIT_CONFIG;
  }
  const { config } = loaded;
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  keepAllocationsYoung();
  lowerGarbageCollectors();
  const app = new App(config, log, version);
  const told = awaitSignal(app);
  try {
    await Promise.race([app.start(), told]);
  } catch (error) {
    log.error({ error }, 'nearcache could not start');
    // What is open already, the admin server say, would keep the process alive.
    await app.stop();
    return EXIT_FAILED;
  }
  const reload = (): void => {
    const again = loadConfig(argv, env, (path) => readFileSync(path, 'utf8'));
    if ('config' in again) return app.reload(again.config);
    for (const problem of again.problems)
      log.error({ reason: problem }, 'the configuration was read again and has a mistake: nothing changes');
  };
  process.on('SIGHUP', reload);
  const signal = await told;
  log.info({ signal }, 'stopping');
  await app.stop();
  return 0;
}

/** The first signal that ends it. An operator's Ctrl-C, and whoever asks twice, does not want to wait for apps. */
function awaitSignal(app: App): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isTold = false;
    const hear = (signal: NodeJS.Signals): void => {
      if (isTold || signal === 'SIGINT') app.hurry();
      isTold = true;
      resolve(signal);
    };
    process.on('SIGTERM', hear);
    process.on('SIGINT', hear);
  });
}
