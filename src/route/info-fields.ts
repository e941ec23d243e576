/** How one field of INFO is put together out of those of several shards. Sections and fields as Redis 7.0 has them; what
 *  a newer server adds is added up where it is a number. */

/** Sections that are added up. Any other (Server, Replication, Modules, Cluster …) is about one server. */
export const SUMMED: ReadonlySet<string> = new Set([
  'clients',
  'memory',
  'persistence',
  'stats',
  'cpu',
  'commandstats',
  'errorstats',
  'latencystats',
  'keyspace',
  'keysizes',
]);

/** Numbers whose sum means nothing: flags, durations, peaks of one client, and what every shard has alike. */
const GREATEST: ReadonlySet<string> = new Set([
  'client_recent_max_input_buffer',
  'client_recent_max_output_buffer',
  'number_of_cached_scripts',
  'number_of_functions',
  'number_of_libraries',
  'active_defrag_running',
  'loading',
  'async_loading',
  'loading_start_time',
  'loading_eta_seconds',
  'loading_loaded_perc',
  'current_cow_size_age',
  'current_fork_perc',
  'rdb_bgsave_in_progress',
  'rdb_last_bgsave_time_sec',
  'rdb_current_bgsave_time_sec',
  'aof_enabled',
  'aof_rewrite_in_progress',
  'aof_rewrite_scheduled',
  'aof_last_rewrite_time_sec',
  'aof_current_rewrite_time_sec',
  'aof_rewrites_consecutive_failures',
  'module_fork_in_progress',
  'expired_stale_perc',
  'current_eviction_exceeded_time',
  'current_active_defrag_time',
  'pubsub_patterns',
  'latest_fork_usec',
]);

/** Ratios of two fields, computed again from the merged ones. */
const RATIOS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['allocator_frag_ratio', ['allocator_active', 'allocator_allocated']],
  ['allocator_rss_ratio', ['allocator_resident', 'allocator_active']],
  ['rss_overhead_ratio', ['used_memory_rss', 'allocator_resident']],
  ['mem_fragmentation_ratio', ['used_memory_rss', 'used_memory']],
]);
const HUMAN = '_human';
const NUMBER = /^-?\d+(\.\d+)?$/;

/** One field out of the values that those shards gave which have it, in their order. Shape: `values` is not empty. */
export function mergeField(name: string, values: readonly string[]): string {
  const first = values[0] as string;
  if (name.endsWith('_status')) return values.find((value) => value !== 'ok') ?? first;
  if (values.every((value) => NUMBER.test(value))) return mergeNumbers(name, values);
  return first.includes('=') ? mergeParts(name, values) : first;
}

function mergeNumbers(name: string, values: readonly string[]): string {
  if (name === 'rdb_last_save_time') return extreme(values, Math.min);
  // 0 is no limit at all.
  if (name === 'maxmemory' && values.includes('0')) return '0';
  return GREATEST.has(name) ? extreme(values, Math.max) : sum(values);
}

/** As many decimals as they came with; whole numbers exactly. */
function sum(values: readonly string[]): string {
  const decimals = Math.max(...values.map(decimalsOf));
  if (decimals > 0) return values.reduce((total, value) => total + Number(value), 0).toFixed(decimals);
  return String(values.reduce((total, value) => total + BigInt(value), 0n));
}

function decimalsOf(value: string): number {
  const dot = value.indexOf('.');
  return dot < 0 ? 0 : value.length - dot - 1;
}

function extreme(values: readonly string[], choose: (...numbers: number[]) => number): string {
  const chosen = choose(...values.map(Number));
  return values.find((value) => Number(value) === chosen) as string;
}

/** `calls=2,usec=9`: part by part. Percentiles cannot be put together, so the worst is given. */
function mergeParts(name: string, values: readonly string[]): string {
  const all = values.map(partsOf);
  const names = new Set(all.flatMap((parts) => [...parts.keys()]));
  const isPercentiles = name.startsWith('latency_percentiles_');
  const merged = new Map<string, string>();
  for (const part of names) {
    const given = all.flatMap((parts) => parts.get(part) ?? []);
    if (!given.every((value) => NUMBER.test(value))) return values[0] as string;
    merged.set(part, isPercentiles ? extreme(given, Math.max) : sum(given));
  }
  if (merged.has('usec_per_call')) merged.set('usec_per_call', ratio(merged, 'usec', 'calls'));
  if (merged.has('avg_ttl')) merged.set('avg_ttl', averageTtl(all));
  return [...merged].map(([part, value]) => `${part}=${value}`).join(',');
}

/** The parts of such a value, by name. */
export function partsOf(value: string): Map<string, string> {
  return new Map(
    value.split(',').map((part) => {
      const equals = part.indexOf('=');
      return [part.slice(0, equals), part.slice(equals + 1)] as const;
    }),
  );
}

/** Weighted by how many keys have a TTL. */
function averageTtl(all: readonly ReadonlyMap<string, string>[]): string {
  let keys = 0;
  let total = 0;
  for (const parts of all) {
    const expires = Number(parts.get('expires') ?? 0);
    keys += expires;
    total += expires * Number(parts.get('avg_ttl') ?? 0);
  }
  return String(keys === 0 ? 0 : Math.round(total / keys));
}

function ratio(fields: ReadonlyMap<string, string>, of: string, to: string): string {
  const divisor = Number(fields.get(to) ?? 0);
  return (divisor === 0 ? 0 : Number(fields.get(of) ?? 0) / divisor).toFixed(2);
}

/** Computes again what follows from other fields of the merged section. */
export function recompute(fields: Map<string, string>): void {
  for (const [name, [of, to]] of RATIOS) if (fields.has(name)) fields.set(name, ratio(fields, of, to));
  share(fields, 'used_memory_peak_perc', 'used_memory', number(fields, 'used_memory_peak'));
  const net = number(fields, 'used_memory') - number(fields, 'used_memory_startup');
  share(fields, 'used_memory_dataset_perc', 'used_memory_dataset', net);
  for (const name of fields.keys()) {
    const bytes = name.endsWith(HUMAN) ? fields.get(name.slice(0, -HUMAN.length)) : undefined;
    if (bytes !== undefined) fields.set(name, humanBytes(Number(bytes)));
  }
}

function number(fields: ReadonlyMap<string, string>, name: string): number {
  return Number(fields.get(name) ?? 0);
}

function share(fields: Map<string, string>, name: string, of: string, whole: number): void {
  if (!fields.has(name)) return;
  fields.set(name, `${(whole === 0 ? 0 : (number(fields, of) * 100) / whole).toFixed(2)}%`);
}

/** As Redis prints it. Source: Redis 7.0.15, `bytesToHuman` in server.c. */
function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), 5);
  return `${(bytes / 1024 ** power).toFixed(2)}${'BKMGTP'[power] as string}`;
}
