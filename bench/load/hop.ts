import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Percentiles } from '../report/percentiles.ts';

/** A simulated hop to one server, in a process of its own. */
export interface Hop {
  readonly port: number;
  readonly pid: number;
  /** How long chunks were really held since the last call, each way. */
  held(): Promise<Percentiles>;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('relay-process.ts', import.meta.url));

/** Starts a hop in front of `serverPort` of 127.0.0.1. */
export async function startHop(serverPort: number, delayMs: number): Promise<Hop> {
  const child = fork(program, [String(serverPort), String(delayMs)]);
  const { port } = await nextMessage<{ port: number }>(child);
  return {
    port,
    pid: child.pid as number,
    held() {
      child.send('held');
      return nextMessage<Percentiles>(child);
    },
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const done = new AbortController();
  const ended = once(child, 'exit', { signal: done.signal }).then(() => {
    throw new Error('the relay ended');
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: done.signal }), ended])) as [T];
    return message;
  } finally {
    // The loser of the race would keep its listener for as long as the relay lives.
    ended.catch(() => {});
    done.abort();
  }
}
