/** As long as values of apps often are. */
const PADDING = 'x'.repeat(48);

/** One key with one writer, whose values carry the key and a number that grows by one with each write. When nobody can know whether a
 *  write will still run, or data was lost, the key is given up and the writer goes on with a new life under a new key: so what is
 *  expected of a reply is always exact. */
export class Life {
  readonly key: string;
  /** Writes sent so far; the newest value that may be seen. */
  sent = 0;
  /** The newest write that was acknowledged. */
  acked = 0;
  /** Redis may have lost it: anything that was ever written, and nothing, may be seen. */
  isLost = false;
  /** When each write was acknowledged, the first one in front. Units: ms. */
  readonly #ackedAt: number[] = [];

  constructor(key: string) {
    this.key = key;
  }

  /** The value of the next write. */
  next(): string {
    return this.valueOf(++this.sent);
  }

  valueOf(version: number): string {
    return `${this.key}=${version}:${PADDING}`;
  }

  /** The writer has one write out at a time, so that the newest one sent is the one acknowledged. */
  acknowledge(now: number): void {
    this.acked = this.sent;
    this.#ackedAt[this.sent - 1] = now;
  }

  /** The write that is out has certainly not run. */
  takeBack(): void {
    this.sent = this.acked;
  }

  /** The newest write acknowledged by then. */
  ackedBy(then: number): number {
    let version = this.acked;
    while (version > 0 && (this.#ackedAt[version - 1] ?? Infinity) > then) version--;
    return version;
  }

  /** Which write a reply shows; 0 = none.
   *  Errors: undefined when nobody has ever written that, at this key at least. */
  versionIn(reply: string | null): number | undefined {
    if (reply === null) return 0;
    const version = Number(reply.slice(this.key.length + 1, reply.indexOf(':', this.key.length)));
    if (!Number.isInteger(version) || version < 1 || version > this.sent) return undefined;
    return reply === this.valueOf(version) ? version : undefined;
  }
}
