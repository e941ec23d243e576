// Files that run side by side start their servers on ports that are not the other's.
import { lookInPart } from '../../src/drill/servers/free-port.ts';

/** Of two workers at a time, or of two laboratories of mutants. */
const PARTS = 2;

const { NEARCACHE_TEST_LANE: lane, VITEST_POOL_ID: worker } = process.env;
lookInPart(Number(lane ?? worker) % PARTS, PARTS);
