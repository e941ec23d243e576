const cleanUps = new Set<() => void>();
let listening = false;

/** Calls `cleanUp` (synchronous) when this process ends, by itself or by a signal that can be caught, so that a test
 *  that fails half-way leaves no server behind. Returns the way to take it back. */
export function onProcessEnd(cleanUp: () => void): () => void {
  if (!listening) listen();
  cleanUps.add(cleanUp);
  return () => cleanUps.delete(cleanUp);
}

function listen(): void {
  listening = true;
  process.on('exit', () => {
    for (const cleanUp of cleanUps) cleanUp();
  });
  // A signal's default action skips the exit event; 128 + number is what a shell reports for it.
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(signal, () => process.exit(128 + number));
  }
}
