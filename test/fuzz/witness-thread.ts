// The well-behaved sessions live in a thread of their own: the latency they see is not that of the fuzzer's event loop.

import { parentPort, workerData } from 'node:worker_threads';

import { Witness } from './witness.ts';

const witness = new Witness((workerData as { port: number }).port);
await witness.start();
parentPort?.once('message', () => {
  void witness.stop().then(() => parentPort?.postMessage(witness.statement()));
});
parentPort?.postMessage('started');
