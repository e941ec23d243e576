/** A child process that is asked one thing after another, so that what it measures (memory, pauses) is its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** The parent's side. */
export class Worker {
  readonly #child: ChildProcess;

  /** Starts `file` with Node's flag --expose-gc; `input` must survive JSON. */
  constructor(file: URL, input: object) {
    this.#child = fork(file, [JSON.stringify(input)], { execArgv: ['--expose-gc'] });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Sends a question and waits for its answer. Bounds: one at a time.
   *  Errors: the child has ended. */
  async ask<T>(question: string): Promise<T> {
    const done = new AbortController();
    const ended = once(this.#child, 'exit', { signal: done.signal }).then(([code, signal]) => {
      throw new Error(`the process for "${question}" ended (${code ?? signal})`);
    });
    try {
      this.#child.send(question);
      const answer = once(this.#child, 'message', { signal: done.signal });
      return ((await Promise.race([answer, ended])) as [T])[0];
    } finally {
      // The loser of the race would keep its listener for as long as the child lives.
      ended.catch(() => {});
      done.abort();
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

/** The child's side: what the parent gave it. */
export function workerInput(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** The child's side: answers each question with what its function returns. */
export function answer(answers: Readonly<Record<string, () => unknown>>): void {
  const reply = async (question: string): Promise<void> => {
    process.send?.(await answers[question]?.());
  };
  // What goes wrong ends the process, and that the parent sees.
  process.on('message', (question: string) => void reply(question));
  process.on('disconnect', () => process.exit(0));
}

/** Collects garbage, twice since buffers are freed only after the objects that own them. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await nextTurn();
  }
}

/** Lets the event loop turn, as a server's does: freeing external memory needs it. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
