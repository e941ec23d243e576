import { backendName } from './redis-server.ts';

/** Decides once for all test files which Redis they get, and says so. */
export default function setup(): void {
  const name = backendName();
  process.env['NEARCACHE_TEST_BACKEND'] = name;
  console.log(`Redis for the tests: ${name === 'process' ? 'local redis-server processes' : 'containers'}`);
}
