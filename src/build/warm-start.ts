import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { HotKeyList } from '../cache/hot-key-list.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { Config } from '../config/config.ts';
import type { Upstream } from '../route/upstream.ts';
import { Preload, type PreloadEnd, PreloadStats } from '../session/preload.ts';
import { readHotKeys, writeHotKeys } from './hot-key-file.ts';

/** The names of hot keys, kept from one nearcache to the next (`--hot-keys-file`): a cold near-cache would send all that is asked
 *  most to Redis at once, and apps would wait for it.
 *  Errors: none; a file that cannot be used is told in the log. */
export class WarmStart {
  readonly stats: PreloadStats = new PreloadStats();
  readonly #path: string;
  readonly #config: Config;
  readonly #parts: { cache: NearCache; list: HotKeyList; upstream: Upstream; log: Logger };
  #preload: Preload | undefined;
  #hasEnded = false;

  constructor(
    path: string,
    config: Config,
    parts: { cache: NearCache; list: HotKeyList; upstream: Upstream; log: Logger },
  ) {
    this.#path = path;
    this.#config = config;
    this.#parts = parts;
  }

  /** Read the file, and its keys beside serving once Redis answers. */
  async begin(): Promise<void> {
    const { log, cache, upstream } = this.#parts;
    const { hotKeysMax, preloadRate, commandTimeoutMs } = this.#config;
    try {
      const { reads, bad } = await readHotKeys(this.#path, hotKeysMax);
      this.stats.bad = bad;
      if (bad > 0)
        log.warn({ reason: this.#path, count: bad }, 'lines of the hot keys file are no names of keys');
      if (this.#hasEnded || reads.length === 0) return;
      this.#preload = new Preload(
        { rate: preloadRate, timeoutMs: commandTimeoutMs },
        { cache, upstream, clock: systemClock, stats: this.stats },
        (why) => this.#ended(why),
      );
      this.#preload.start(reads);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        log.info({ reason: this.#path }, 'there is no hot keys file yet');
      } else log.warn({ error }, 'the hot keys file cannot be read');
    }
  }

  /** The serving is over: write what was hot. A nearcache that nobody asked anything leaves the file as it is. */
  end(): void {
    const { list, cache, upstream, log } = this.#parts;
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#preload?.stop();
    // What was sampled since the last report.
    for (const { own } of upstream.shards) cache.hotKeys?.take(0, own.shared.generation.fence);
    const reads = list.top();
    if (reads.length === 0) return;
    try {
      const count = writeHotKeys(this.#path, reads);
      log.info({ count }, 'the names of hot keys were written');
    } catch (error) {
      log.warn({ error }, 'the hot keys file cannot be written');
    }
  }

  #ended(why: PreloadEnd): void {
    const { log } = this.#parts;
    const fields = { count: this.stats.read, reason: why };
    if (why === 'refused') log.warn(fields, 'reading hot keys into the near-cache ended early');
    else log.info(fields, 'hot keys were read into the near-cache');
  }
}

/** Undefined = there is no file, or no near-cache. */
export function buildWarmStart(
  config: Config,
  { cache, ...parts }: { cache: NearCache | undefined; upstream: Upstream; log: Logger },
): WarmStart | undefined {
  const list = cache?.hotKeys?.list;
  if (config.hotKeysFile === undefined || cache === undefined || list === undefined) return undefined;
  return new WarmStart(config.hotKeysFile, config, { ...parts, cache, list });
}
