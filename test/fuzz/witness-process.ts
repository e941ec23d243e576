// The well-behaved sessions have a process of their own: the latency they see is not that of the fuzzer's event loop.

import { once } from 'node:events';

import { Witness } from './witness.ts';

const witness = new Witness(Number(process.argv[2]), Number(process.argv[3]));
await witness.start();
process.send?.('started');
await once(process, 'message');
await witness.stop();
process.send?.(witness.statement());
process.disconnect?.();
