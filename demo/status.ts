import { percentilesOf } from '../bench/report/percentiles.ts';
import { type CacheCounts, cacheCounts, type DemoShard } from './shards.ts';
import type { Shop, ShopCounts } from './shop.ts';

/** What the screen shows of one shard, over the time since it last looked. */
interface Row {
  name: string;
  perSecond: number;
  hitRatio: number;
  medianMs: number | undefined;
  slowestMs: number | undefined;
  errors: number;
  failing: string | undefined;
}

/** Watches the app and nearcache's metrics, and puts them into lines. */
export class Status {
  readonly #shards: readonly DemoShard[];
  readonly #shop: Shop;
  #before: readonly { counts: ShopCounts; cache: CacheCounts }[];
  #lookedAt = performance.now();
  /** A line below the table: what is being measured just now. */
  note = '';

  constructor(shards: readonly DemoShard[], shop: Shop) {
    this.#shards = shards;
    this.#shop = shop;
    this.#before = shop.counts.map((counts) => ({ counts: { ...counts }, cache: { hits: 0, reads: 0 } }));
  }

  async look(): Promise<{ block: string[]; line: string }> {
    const cache = await cacheCounts(this.#shards[0] as DemoShard);
    const seconds = (performance.now() - this.#lookedAt) / 1000;
    this.#lookedAt = performance.now();
    const rows = this.#shards.map((shard, i) => this.#row(shard.name, i, cache, seconds));
    this.#before = this.#shop.counts.map((counts) => ({
      counts: { ...counts },
      cache,
    }));
    for (const { latencies } of this.#shop.counts) latencies.reset();
    return { block: ['', HEAD, ...rows.map(tableLine), '', this.note], line: rows.map(logText).join(' | ') };
  }

  #row(name: string, i: number, cache: CacheCounts, seconds: number): Row {
    const now = this.#shop.counts[i] as ShopCounts;
    const before = this.#before[i] as { counts: ShopCounts; cache: CacheCounts };
    const errors = now.errors - before.counts.errors;
    const { p50, max, count } = percentilesOf(now.latencies);
    return {
      name,
      perSecond: (now.requests - before.counts.requests) / seconds,
      hitRatio: (cache.hits - before.cache.hits) / (cache.reads - before.cache.reads || 1),
      medianMs: p50,
      slowestMs: count === 0 ? undefined : max,
      errors: now.errors,
      failing: errors > 0 ? now.lastError : undefined,
    };
  }
}

const HEAD = '           requests/s  hits of all   median ms   slowest ms    errors';

function tableLine(row: Row): string {
  return [
    `  ${row.name}  `,
    row.perSecond.toFixed(0).padStart(10),
    percent(row.hitRatio).padStart(12),
    (row.medianMs?.toFixed(2) ?? '–').padStart(12),
    (row.slowestMs?.toFixed(2) ?? '–').padStart(13),
    String(row.errors).padStart(10),
    row.failing === undefined ? '' : `  ${row.failing}`,
  ].join('');
}

function logText(row: Row): string {
  const errors = row.failing === undefined ? '' : `, ${row.errors} errors so far (${row.failing})`;
  return `${row.name}: ${row.perSecond.toFixed(0)} requests/s, ${percent(row.hitRatio)} hits${errors}`;
}

export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
