// The thread of watchdog.ts. It has no event loop to speak of: it sleeps, looks, and sleeps again.

import { writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { workerData } from 'node:worker_threads';
import { LOOKS, Silence, type WatchdogData } from './watchdog.ts';

const STDERR = 2;
/** What a signal takes at most to end the process. */
const GRACE_MS = 1000;

const { beats, limitMs } = workerData as WatchdogData;
const counter = new Int32Array(beats);
const pillow = new Int32Array(new SharedArrayBuffer(4));
const lookMs = limitMs / LOOKS;
const silence = new Silence(lookMs);

function sleep(ms: number): void {
  Atomics.wait(pillow, 0, 0, ms);
}

/** Its first beat comes when the start has got so far. */
function awaitFirstBeat(): void {
  while (Atomics.load(counter, 0) === 0) sleep(lookMs);
}

function watch(): number {
  for (let at = performance.now(); ; ) {
    sleep(lookMs);
    const now = performance.now();
    const silentMs = silence.look(Atomics.load(counter, 0), now - at);
    if (silentMs >= limitMs) return silentMs;
    at = now;
  }
}

function endProcess(silentMs: number): void {
  const since = new Date(performance.timeOrigin + performance.now() - silentMs).toISOString();
  const seconds = (silentMs / 1000).toFixed(1);
  try {
    writeSync(
      STDERR,
      `nearcache: the event loop is held up since ${since} (${seconds} s); --watchdog ends the process\n`,
    );
  } finally {
    process.kill(process.pid, 'SIGABRT');
    sleep(GRACE_MS);
    // Process 1 of a container does not hear its own signals. What the processor itself raises ends it all the same.
    setFlagsFromString('--allow-natives-syntax');
    // oxlint-disable-next-line no-new-func, no-implied-eval
    new Function('%SystemBreak()')();
  }
}

awaitFirstBeat();
endProcess(watch());
