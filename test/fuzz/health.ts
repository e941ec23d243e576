import { readdirSync } from 'node:fs';

import { residentBytes } from '../../bench/process-usage.ts';
import type { Nearcache } from '../../src/drill/servers/nearcache-process.ts';

const SAMPLE_MS = 1000;

/** Looks at the nearcache process every second: memory, and whether it still is the same one. */
export class Health {
  /** Units: bytes, one a second. */
  readonly residents: number[] = [];
  /** At the start, when nothing has been asked of it. */
  readonly startBytes: number;
  readonly startFiles: number;
  #nearcache: Nearcache;
  #timer: NodeJS.Timeout;

  constructor(nearcache: Nearcache) {
    this.#nearcache = nearcache;
    this.startBytes = residentBytes(nearcache.pid);
    this.startFiles = this.openFiles();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The most memory it had, the first seconds aside. */
  peakAfter(seconds: number): number {
    return Math.max(0, ...this.residents.slice(seconds));
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.#nearcache.pid}/fd`).length;
  }

  /** Lines that no client should be able to cause. */
  badLogLines(): string[] {
    return this.#nearcache.logs
      .split('\n')
      .filter((line) => /"level":"(error|fatal)"|Warning|uncaught|unhandled|^\s+at /i.test(line))
      .slice(0, 20);
  }

  /** Why nearcache closed sessions by itself, and how often: the reasons it has logged, numbers left out. */
  closings(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [, reason] of this.#nearcache.logs.matchAll(/"reason":"([^"]*)","msg":"session closed"/g)) {
      const kind = (reason as string).replace(/\d+ /g, '');
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return counts;
  }

  #sample(): void {
    if (!this.#nearcache.hasEnded) this.residents.push(residentBytes(this.#nearcache.pid));
  }
}
