import { z } from 'zod';
import type { ClusterConfig, ShardConfig, UpstreamConfig } from './config.ts';
import type { Option, OptionKey, Settings, UpstreamSetting } from './option.ts';
import type { Report } from './parts.ts';
import { readShards } from './shards.ts';
import { parseUpstreamUrl, splitUrls, UPSTREAM_FORM } from './upstream-url.ts';

/** `--upstream`: URLs by commas, or in the file a list of them. Errors: every mistake in every URL is an issue of its own. */
export const upstreamOption: Option<UpstreamSetting> = {
  flag: 'upstream',
  initial: 'redis://127.0.0.1:6380',
  schema: z.union([z.string().min(1), z.array(z.string()).min(1)]).transform(readUpstream),
  form: UPSTREAM_FORM,
  help: 'The Redis to stand in front of: one, several that the keys are divided over, or a Cluster',
  isList: true,
  secret: true,
};

/** What is behind us, of all the settings that say so; credentials are not yet applied. */
export function upstreamOf(all: Settings, isGiven: (key: OptionKey) => boolean): UpstreamConfig {
  const { ring, upstream } = all;
  if (ring === undefined && upstream.kind === 'cluster') return upstream;
  // An option given beside the file's ring is a flag or a variable, which win.
  const own = <T>(key: OptionKey, inFile: T | undefined, general: T): T =>
    isGiven(key) ? general : (inFile ?? general);
  const now = {
    kind: 'ring' as const,
    distribution: own('ringDistribution', ring?.distribution, all.ringDistribution),
    hash: own('ringHash', ring?.hash, all.ringHash),
    hashTag: own('ringHashTag', ring?.hashTag, all.ringHashTag),
    shards: ring?.shards ?? (upstream.kind === 'cluster' ? [] : upstream.shards),
  };
  const next = ring?.next;
  if (next === undefined) return now;
  const { distribution = now.distribution, hash = now.hash, hashTag = now.hashTag, shards } = next;
  return { ...now, next: { kind: 'ring', distribution, hash, hashTag, shards } };
}

/** The same with `--upstream-user` and `--upstream-password` wherever a URL has none. */
export function withCredentials(
  upstream: UpstreamConfig,
  { upstreamUser, upstreamPassword }: Settings,
): UpstreamConfig {
  const common = {
    ...(upstreamUser === undefined ? {} : { user: upstreamUser }),
    ...(upstreamPassword === undefined ? {} : { password: upstreamPassword }),
  };
  if (upstream.kind === 'cluster') return { ...common, ...upstream };
  const complete = (shards: readonly ShardConfig[]): ShardConfig[] =>
    shards.map((shard) => ({ ...common, ...shard }));
  const { next } = upstream;
  return {
    ...upstream,
    shards: complete(upstream.shards),
    ...(next === undefined ? {} : { next: { ...next, shards: complete(next.shards) } }),
  };
}

/** Everything that has TLS and credentials of its own. */
export function membersOf(upstream: UpstreamConfig): readonly (ShardConfig | ClusterConfig)[] {
  return upstream.kind === 'cluster' ? [upstream] : upstream.shards;
}

function readUpstream(given: string | readonly string[], context: z.RefinementCtx): UpstreamSetting {
  const report: Report = (message, form = UPSTREAM_FORM) => {
    context.addIssue({ code: 'custom', message, params: { form } });
  };
  const urls = [given].flat().flatMap(splitUrls);
  const only = urls.length === 1 ? parseUpstreamUrl(urls[0] as string).value : undefined;
  if (only?.kind === 'cluster') return only;
  const shards = readShards(
    urls.map((url) => ({ url })),
    report,
  );
  return { kind: 'shards', shards };
}
