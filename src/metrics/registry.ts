import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { METRIC_GROUPS, type MetricRow, type MetricSources } from './catalog.ts';

/** The metrics as Prometheus reads them. Cost: a scrape walks the catalogue once; between scrapes nothing runs
 *  but Node's own sampling of the event loop. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Twice the default: the sampler is a timer, and an idle sidecar should sleep. */
const EVENT_LOOP_SAMPLE_MS = 20;

/** Register the catalogue and the metrics of the Node process. Shape: a row that has nothing to read (the cache
 *  is off) is left out, rather than shown as 0. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  for (const row of METRIC_GROUPS.flatMap(({ rows }) => rows)) {
    if (row.read(sources).length > 0) registry.registerMetric(metricOf(row, sources));
  }
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS });
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

function metricOf(row: MetricRow, sources: MetricSources): Metric {
  const settings = { name: row.name, help: row.help, labelNames: [...row.labels], registers: [] };
  if (row.kind === 'gauge') {
    return new Gauge({
      ...settings,
      collect() {
        this.reset();
        for (const { labels, value } of row.read(sources)) this.set(labels, value);
      },
    });
  }
  return new Counter({
    ...settings,
    // A prom-client counter can only be added to; ours is counted elsewhere, so each scrape starts from 0.
    collect() {
      this.reset();
      for (const { labels, value } of row.read(sources)) this.inc(labels, value);
    },
  });
}
