/** The published API: nearcache inside another Node process, for tests and tools. */
export { App } from './app.ts';
export type { Config } from './config/config.ts';
export { loadConfig } from './config/load.ts';
export { createLogger } from './base/log.ts';
