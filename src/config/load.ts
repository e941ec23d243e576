import type { z } from 'zod';
import type { Config } from './config.ts';
import { findContradictions } from './contradictions.ts';
import type { OptionKey, Settings } from './option.ts';
import { OPTION_ROWS, OPTIONS } from './options.ts';
import { policyTable } from './policies.ts';
import { quote } from './quote.ts';
import { configSchema } from './schema.ts';
import { FILE_FLAG, readFlags, readVariables, readYaml, type Source } from './sources.ts';
import { upstreamOf, withCredentials } from './upstream.ts';

/** The configuration, or every mistake in it. Shape: a problem is one line: where, what, the accepted form. */
export type Loaded = { readonly config: Config } | { readonly problems: readonly string[] };

type ReadFile = (path: string) => string;
type NameOf = (key: string) => string;

/** Merge flags over environment over file and check the result.
 *  Shape: `argv` without the subcommand; `readFile` gives the text of a file or throws.
 *  Errors: none thrown; whatever is wrong is in `problems`, all of it at once. */
export function loadConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): Loaded {
  const sources = readSources(argv, env, readFile);
  const winner = new Map<string, Source>();
  const raw: Record<string, unknown> = {};
  for (const source of sources) {
    for (const [key, value] of source.values) {
      if (key === FILE_FLAG || winner.has(key)) continue;
      winner.set(key, source);
      raw[key] = value;
    }
  }
  // Both say what is behind us: as for any option, the file's gives way to a flag or a variable.
  const upstreamSource = winner.get('upstream');
  if (upstreamSource !== undefined && upstreamSource !== winner.get('ring')) {
    winner.delete('ring');
    delete raw['ring'];
  }
  const nameOf: NameOf = (key) => winner.get(key)?.nameOf(key) ?? key;
  const { settings, problems } = check(raw, winner, nameOf);
  const all = [
    ...sources.flatMap((source) => source.problems),
    ...problems,
    ...unreadableFiles(raw, readFile, nameOf),
  ];
  if (all.length > 0) return { problems: all.map((problem) => problem.replaceAll(/[\r\n]+/g, ' ')) };
  return { config: configOf(settings, (key) => winner.has(key)) };
}

/** Shape: highest precedence first. */
function readSources(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): readonly Source[] {
  const flags = readFlags(argv);
  const variables = readVariables(env);
  const path = flags.values.get(FILE_FLAG) ?? variables.values.get(FILE_FLAG);
  if (typeof path !== 'string') return [flags, variables];
  return [flags, variables, readConfigFile(path, readFile)];
}

function readConfigFile(path: string, readFile: ReadFile): Source {
  try {
    return readYaml(path, readFile(path));
  } catch (error) {
    const problems = [`--${FILE_FLAG}: cannot read ${path}: ${reason(error)}`];
    return { values: new Map(), problems, nameOf: (key) => key };
  }
}

/** Parse; where a value is wrong, go on with its default, so that what does not go together shows as well. */
function check(
  raw: Readonly<Record<string, unknown>>,
  given: ReadonlyMap<string, Source>,
  nameOf: NameOf,
): { readonly settings: Settings; readonly problems: readonly string[] } {
  const issues = configSchema.safeParse(raw).error?.issues ?? [];
  const invalid = new Set(issues.map((issue) => String(issue.path[0])));
  const valid = Object.fromEntries(Object.entries(raw).filter(([key]) => !invalid.has(key)));
  const settings = configSchema.parse(valid);
  const upstream = upstreamOf(settings, (key) => given.has(key));
  const contradictions = findContradictions(settings, { upstream, given }, invalid);
  const problems = [
    ...issues.map((issue) => wordIssue(issue, raw, nameOf)),
    ...contradictions.map(({ key, text }) => `${nameOf(key)}: ${text}`),
  ];
  return { settings, problems };
}

function wordIssue(issue: z.core.$ZodIssue, raw: Readonly<Record<string, unknown>>, nameOf: NameOf): string {
  const key = String(issue.path[0]);
  const option = OPTIONS[key as OptionKey];
  const given = option.secret === true ? 'the value' : quote(raw[key]);
  const what = issue.code === 'custom' ? issue.message : `${given} is not accepted`;
  // An option of several parts says which form the part has.
  const form = issue.code === 'custom' ? (issue.params?.['form'] ?? option.form) : option.form;
  return `${nameOf(key)}: ${what}; accepted: ${form}`;
}

function unreadableFiles(
  raw: Readonly<Record<string, unknown>>,
  readFile: ReadFile,
  nameOf: NameOf,
): readonly string[] {
  return OPTION_ROWS.flatMap(([key, option]) => {
    const path = raw[key];
    if (option.isFile !== true || typeof path !== 'string') return [];
    try {
      readFile(path);
      return [];
    } catch (error) {
      return [`${nameOf(key)}: cannot read ${path}: ${reason(error)}`];
    }
  });
}

function configOf(settings: Settings, isGiven: (key: OptionKey) => boolean): Config {
  // These are in the upstream.
  const { ring: _ring, ringDistribution: _how, ringHash: _hash, ringHashTag: _tag, ...rest } = settings;
  return freeze({
    ...rest,
    upstream: withCredentials(upstreamOf(settings, isGiven), settings),
    topologyMaxAgeMs: settings.topologyMaxAgeMs ?? settings.maxStalenessMs,
    policies: policyTable(settings),
    listenGiven: isGiven('listen'),
  });
}

/** The policies freeze themselves. */
function freeze(config: Config): Config {
  for (const part of [config.listen, config.upstream, config.admin, config.clusterAnnounce]) freezeDeep(part);
  return Object.freeze(config);
}

function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freezeDeep(part);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
