import { z } from 'zod';
import { defaultShardName } from '../route/ring.ts';
import { type Parsed, printHostPort } from './addresses.ts';
import type { HostPort, ShardConfig, ShardSource } from './config.ts';
import { count, take } from './option.ts';
import { isMap, type Part, type Report, reportPartIssue } from './parts.ts';
import {
  HOSTS_MAX,
  parseHosts,
  parseUpstreamUrl,
  REDIS_PORT,
  SHARD_FORM,
  type ShardUrl,
} from './upstream-url.ts';

export const SHARDS_MAX = 1024;

const NAME_FORM = 'a text of 1 to 128 visible ASCII characters (in the file: quoted, if all digits)';
/** What a shard that is alone is called. */
const ONLY_NAME = 'shard0';

/** A shard less where it is, which its URL says. */
interface ShardSetting {
  readonly name?: string | undefined;
  readonly weight?: number | undefined;
  readonly replicas?: readonly HostPort[] | undefined;
}

const settingParts = {
  name: {
    schema: z.string().transform((text, context) => take(parseName(text), context)),
    form: NAME_FORM,
    help: 'What places its keys: keep it when the shard moves to another host. As in twemproxy, host:port if absent; of Sentinels the master',
    secret: true,
  },
  weight: {
    ...count({ flag: 'weight', initial: 1, min: 1, max: 1000, help: 'Its share of the keys; 1 if absent' }),
    secret: true,
  },
  replicas: {
    schema: z.array(z.string()).transform((texts, context) => take(parseReplicas(texts), context)),
    form: `up to ${HOSTS_MAX} host[:port]: a list in the file, replica=… for each in a URL`,
    help: 'Where reads may go besides, as --read-preference says',
    secret: true,
  },
} satisfies Record<string, Part>;

/** The parts of a shard by name. Any may hold a password by mistake, so none is ever quoted. */
export const SHARD_PARTS: Readonly<Record<'name' | 'url' | 'weight' | 'replicas', Part>> = {
  name: settingParts.name,
  url: {
    schema: z.string(),
    form: SHARD_FORM,
    help: 'Where it is. It may have name, weight and replica in its ?query instead',
    secret: true,
  },
  weight: settingParts.weight,
  replicas: settingParts.replicas,
};

const settingSchema: z.ZodType<ShardSetting> = z.strictObject({
  name: settingParts.name.schema.optional(),
  weight: settingParts.weight.schema.optional(),
  replicas: settingParts.replicas.schema.optional(),
});

/** Read the shards of a ring. Shape: each a map of `SHARD_PARTS`. Errors: all are reported; what is returned then is less than
 *  was given. */
export function readShards(given: readonly unknown[], report: Report): readonly ShardConfig[] {
  if (given.length > SHARDS_MAX) report(`${given.length} shards`, `up to ${SHARDS_MAX} shards`);
  const isOnly = given.length === 1;
  const shards = given.slice(0, SHARDS_MAX).map((each, index) => {
    const label = isOnly ? '' : `shard ${index + 1}: `;
    return readShard(each, isOnly, (message, form) => report(label + message, form));
  });
  const form = 'a name of its own for each, ?name=… in the URL';
  reportDoubles(shards, ({ name }) => name, report, ['have the same name', form]);
  reportDoubles(shards, ({ source }) => placeOf(source), report, ['are the same Redis', 'one shard a Redis']);
  return shards.filter((shard) => shard !== undefined);
}

/** Errors: undefined, and all are reported. */
function readShard(given: unknown, isOnly: boolean, report: Report): ShardConfig | undefined {
  if (!isMap(given)) {
    report('is not a map of its parts', Object.keys(SHARD_PARTS).join(', '));
    return undefined;
  }
  const { url: urlText, ...beside } = given;
  const url = readUrl(urlText, report);
  const inUrl: Readonly<Record<string, unknown>> = url?.given ?? {};
  for (const part of Object.keys(inUrl).filter((name) => name in beside)) {
    report(`${part} is in the URL and beside it`, 'each part once');
  }
  const parts = { ...inUrl, ...beside };
  const { data, error } = settingSchema.safeParse(parts);
  for (const issue of error?.issues ?? []) reportPartIssue(issue, parts, SHARD_PARTS, report);
  return url === undefined || data === undefined ? undefined : shardOf(url, data, isOnly);
}

function readUrl(given: unknown, report: Report): ShardUrl | undefined {
  if (typeof given !== 'string') {
    report(given === undefined ? 'needs a url' : 'url is not accepted', SHARD_FORM);
    return undefined;
  }
  const { value, problem } = parseUpstreamUrl(given.trim());
  if (value?.kind === 'shard') return value;
  report(problem ?? 'a Cluster is no shard of a ring: it stands alone', SHARD_FORM);
  return undefined;
}

function shardOf(url: ShardUrl, { name, weight, replicas }: ShardSetting, isOnly: boolean): ShardConfig {
  const { source, tls, user, password } = url;
  return {
    name: name ?? (isOnly ? ONLY_NAME : nameOf(source)),
    weight: weight ?? 1,
    source,
    tls,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    replicas: replicas ?? [],
  };
}

/** The primary that Sentinels watch moves; its name there does not. */
function nameOf(source: ShardSource): string {
  return source.kind === 'sentinel' ? source.master : defaultShardName(source);
}

/** Names decide which keys are whose; and a Redis that was two shards would be counted and scanned twice. */
function reportDoubles(
  shards: readonly (ShardConfig | undefined)[],
  keyOf: (shard: ShardConfig) => string,
  report: Report,
  [what, form]: readonly [string, string],
): void {
  const firsts = new Map<string, number>();
  for (const [index, shard] of shards.entries()) {
    if (shard === undefined) continue;
    const key = keyOf(shard);
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, index);
    else report(`shards ${first + 1} and ${index + 1} ${what}`, form);
  }
}

function placeOf(source: ShardSource): string {
  if (source.kind === 'address') return printHostPort(source);
  return `${source.sentinels.map(printHostPort).toSorted().join()}/${source.master}`;
}

function parseName(text: string): Parsed<string> {
  return /^[!-~]{1,128}$/.test(text) ? { value: text } : { problem: 'is not accepted' };
}

function parseReplicas(texts: readonly string[]): Parsed<readonly HostPort[]> {
  return parseHosts(texts, REDIS_PORT) ?? { problem: 'is not a list of addresses' };
}
