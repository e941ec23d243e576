import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { METRIC_GROUPS } from './catalog.ts';
import type { MetricRow, MetricSources } from './row.ts';

/** The metrics as Prometheus reads them. Cost: a scrape walks the catalogue once; between scrapes nothing runs
 *  but Node's own sampling of the event loop. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Twice the default: the sampler is a timer, and an idle sidecar should sleep. */
const EVENT_LOOP_SAMPLE_MS = 20;

/** Register the catalogue and the metrics of the Node process. Shape: rows about the cache are left out when it is off,
 *  rather than shown as 0. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  for (const { rows, needsCache } of METRIC_GROUPS) {
    if (needsCache === true && sources.cache === undefined) continue;
    for (const row of rows) registry.registerMetric(new RowMetric(row, sources));
  }
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS });
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

type Exposed = Awaited<ReturnType<Gauge['get']>>;

/** prom-client's counters and histograms can only be added to, while ours are counted elsewhere; so a row of any kind is
 *  read whole at each scrape, and only printed by prom-client. */
class RowMetric extends Gauge {
  readonly #row: MetricRow;
  readonly #sources: MetricSources;

  constructor(row: MetricRow, sources: MetricSources) {
    super({ name: row.name, help: row.help, registers: [] });
    this.#row = row;
    this.#sources = sources;
  }

  override async get(): Promise<Exposed> {
    const { name, kind, read } = this.#row;
    const values = read(this.#sources).map(({ labels, value, suffix = '' }) => {
      return { labels, value, metricName: name + suffix };
    });
    // Its types call a metric's kind a number; it prints the word.
    return { ...(await super.get()), values, type: kind as unknown as Exposed['type'] };
  }
}
