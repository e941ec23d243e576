import { readFileSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import type { Config, RingConfig, ShardConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { takeCensus } from '../reshard/census.ts';
import { KeyMap } from '../reshard/key-map.ts';
import { Pace } from '../reshard/pace.ts';
import { runReshard } from '../reshard/run.ts';
import { type CommonTls, ShardClient } from '../reshard/shard-client.ts';
import { readStatus } from '../reshard/status.ts';
import { readReshardOptions, RESHARD_HELP, type ReshardOptions } from './reshard-options.ts';
import { ReshardOutput } from './reshard-output.ts';
import { EXIT_CONFIG, EXIT_FAILED } from './serve.ts';

const PROGRESS_MS = 500;

/** `nearcache reshard …`. Resolves with the exit code: 0 done, 2 a mistake in arguments or files (all of them printed), 1 anything else. */
export async function reshard(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv[0] === 'help') {
    console.log(RESHARD_HELP);
    return 0;
  }
  const read = readReshardOptions(argv);
  if ('problems' in read) return mistakes(read.problems);
  const rings = readRings(read.options);
  if ('problems' in rings) return mistakes(rings.problems);
  const clients = rings.shards.map((shard) => new ShardClient(shard, rings.tls));
  try {
    await Promise.all(clients.map((client) => client.connect()));
    return await execute(read.options, clients, rings.map);
  } catch (error) {
    console.error(`nearcache: reshard: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_FAILED;
  } finally {
    for (const client of clients) client.close();
  }
}

async function execute(
  options: ReshardOptions,
  clients: readonly ShardClient[],
  map: KeyMap,
): Promise<number> {
  const output = new ReshardOutput(options.json, process.stdout.isTTY, (text) => process.stdout.write(text));
  if (options.command === 'status') {
    output.status(await readStatus(clients));
    return 0;
  }
  if (options.command === 'plan') {
    const hasBegun = (await readStatus(clients)).some(
      ({ record }) => record?.from === map.from && record.to === map.to && record.state !== 'prepared',
    );
    output.plan(await takeCensus(clients, map, { batch: options.batch, hasBegun }));
    return 0;
  }
  return run(options, clients, map, output);
}

async function run(
  options: ReshardOptions,
  clients: readonly ShardClient[],
  map: KeyMap,
  output: ReshardOutput,
): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('stopped; go on with --resume'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  let shownAt = systemClock.now();
  let shownMoved = 0;
  const onProgress = (moved: number, total: number): void => {
    const now = systemClock.now();
    if (now - shownAt < PROGRESS_MS) return;
    output.progress(moved, total, ((moved - shownMoved) * 1000) / (now - shownAt));
    [shownAt, shownMoved] = [now, moved];
  };
  const { rate, ...rest } = options;
  const result = await runReshard(clients, map, {
    ...rest,
    clock: systemClock,
    random: systemRandom,
    pace: new Pace(rate, systemClock),
    signal: stop.signal,
    onWait: (text) => output.waiting(text),
    onPhase: (phase) => output.phase(phase),
    onProgress,
  });
  output.result(result);
  return result.conflicts.length === 0 ? 0 : EXIT_FAILED;
}

interface Rings {
  readonly map: KeyMap;
  /** In the order of `map.names`. */
  readonly shards: readonly ShardConfig[];
  readonly tls: CommonTls;
}

function readRings({ from, to }: ReshardOptions): Rings | { readonly problems: readonly string[] } {
  const [old, next] = [readRing(from), readRing(to)];
  const problems = [...('problems' in old ? old.problems : []), ...('problems' in next ? next.problems : [])];
  if ('problems' in old || 'problems' in next) return { problems };
  const map = new KeyMap(old.ring, next.ring);
  if (map.from === map.to) return { problems: ['--to: is the same ring as --from: nothing would move'] };
  const shards = map.names.map((name) =>
    [...next.ring.shards, ...old.ring.shards].find((each) => each.name === name),
  );
  const { config } = next;
  const read = (path: string | undefined): Buffer | undefined =>
    path === undefined ? undefined : readFileSync(path);
  return {
    map,
    shards: shards as ShardConfig[],
    tls: {
      ca: read(config.upstreamTlsCa),
      cert: read(config.upstreamTlsCert),
      key: read(config.upstreamTlsKey),
      serverName: config.upstreamTlsServerName,
    },
  };
}

/** The file alone decides: flags and variables of this process are those of no nearcache. */
function readRing(
  path: string,
): { readonly ring: RingConfig; readonly config: Config } | { readonly problems: readonly string[] } {
  const loaded = loadConfig(['--config', path], {}, (file) => readFileSync(file, 'utf8'));
  if ('problems' in loaded) return loaded;
  const { config } = loaded;
  const { upstream } = config;
  if (upstream.kind !== 'ring') return { problems: [`${path}: has no ring; accepted: a file with ring`] };
  const password =
    config.upstreamPasswordFile === undefined ? undefined : readPassword(config.upstreamPasswordFile);
  const shards = upstream.shards.map((shard) =>
    shard.password === undefined && password !== undefined ? { ...shard, password } : shard,
  );
  return { ring: { ...upstream, shards }, config };
}

function readPassword(path: string): string {
  return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
}

function mistakes(problems: readonly string[]): number {
  for (const problem of problems) console.error(`nearcache: ${problem}`);
  return EXIT_CONFIG;
}
