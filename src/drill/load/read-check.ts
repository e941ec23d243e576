import type { Ledger } from './ledger.ts';
import type { Life } from './life.ts';

/** Since when a shard's replies may be stale as declared, because it was hurt and is not whole again; undefined = they may not.
 *  Units: ms of the monotonic clock; asked for a request that lasted from `from` to `to`. */
export type StaleSince = (shard: string, from: number, to: number) => number | undefined;

/** Judges the replies of reads. Wrong is a value that nobody wrote there, at any time. Stale is one that is older than
 *  - a write that was acknowledged through nearcache before the read was sent, whoever made it, at any time;
 *  - one that the same connection has seen, at any time;
 *  - one that was acknowledged past nearcache more than `--max-staleness` before the read, or, while the shard is away, before that. */
export class ReadCheck {
  readonly #ledger: Ledger;
  readonly #maxStalenessMs: number;
  readonly #staleSince: StaleSince;

  constructor(ledger: Ledger, maxStalenessMs: number, staleSince: StaleSince) {
    this.#ledger = ledger;
    this.#maxStalenessMs = maxStalenessMs;
    this.#staleSince = staleSince;
  }

  /** Shape: `floor` is `life.acked` when the read was sent. */
  own(life: Life, floor: number, reply: string | null): void {
    this.#judge(life, floor, reply, 'acknowledged through nearcache');
  }

  /** Shape: `seen` is of one connection. Units: ms; when the read was sent and when its reply came. */
  foreign(
    read: { readonly life: Life; readonly shard: string; readonly from: number; readonly to: number },
    seen: WeakMap<Life, number>,
    reply: string | null,
  ): void {
    const { life, shard, from, to } = read;
    const since = this.#staleSince(shard, from, to) ?? from;
    const floor = life.ackedBy(Math.min(from, since) - this.#maxStalenessMs);
    const version = this.#judge(life, floor, reply, `acknowledged over ${this.#maxStalenessMs} ms before`);
    if (version === undefined) return;
    this.#judge(life, seen.get(life) ?? 0, reply, 'seen on this connection');
    seen.set(life, version);
  }

  #judge(life: Life, floor: number, reply: string | null, why: string): number | undefined {
    const version = life.versionIn(reply);
    if (version === undefined) {
      this.#ledger.wrong.push(`${life.key}: ${reply?.slice(0, 80)}, of which ${life.sent} were written`);
    } else if (version < floor && !life.isLost) {
      this.#ledger.stale.push(`${life.key}: version ${version}, but ${floor} was ${why}`);
    }
    return version;
  }
}
