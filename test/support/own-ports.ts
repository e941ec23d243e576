// Files that run side by side start their servers on ports that are not the other's.
import { lookInPart } from '../../src/drill/servers/free-port.ts';

/** Two workers, and two laboratories of mutants. */
const PARTS = 4;

const { NEARCACHE_TEST_LANE: lane, VITEST_POOL_ID: worker } = process.env;
lookInPart(Number(lane ?? worker) % PARTS, PARTS);
