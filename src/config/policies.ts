import { z } from 'zod';
import { POLICIES_MAX, type PolicyRules, PolicyTable } from '../policy/policy-table.ts';
import { parsePrefix } from '../policy/prefix.ts';
import type { Parsed } from './addresses.ts';
import { cacheFreshness, cacheTimes } from './cache-options.ts';
import type { PolicySettings } from './config.ts';
import { duration, type Option, onOff, type Settings, take } from './option.ts';
import { outage, shedding } from './outage-options.ts';
import { isMap, type Part, type Report, reportPartIssue } from './parts.ts';
import { quote } from './quote.ts';
import { topology } from './topology-options.ts';
import { MINUTE } from './units.ts';

const PREFIX_BYTES_MAX = 1024;

/** One part of a policy, with what it is when left out: a value, or that of the general option of this flag. */
export interface PolicyPart<T = unknown> extends Part<T> {
  readonly initial?: string;
  readonly general?: string;
}

type PolicyParts = { readonly [Name in keyof PolicySettings]-?: PolicyPart<PolicySettings[Name]> };

/** The parts of a policy by name; in the same words and bounds as the general options where there are such. */
export const POLICY_PARTS: PolicyParts = {
  prefix: {
    schema: z.string().transform((text, context) => take(readPrefix(text), context)),
    form: `a text of 1 to ${PREFIX_BYTES_MAX} bytes, \\xNN for any byte (in the file: quoted, if all digits)`,
    help: 'What the keys begin with; the longest prefix counts. Required',
  },
  cache: own({ ...onOff({ flag: 'cache', help: 'Whether reads of these keys are cached' }), initial: 'on' }),
  maxTtl: general(cacheTimes.cacheMaxTtlMs),
  negativeTtl: general(cacheTimes.cacheNegativeTtlMs),
  ttlJitter: general(cacheTimes.cacheTtlJitterPercent),
  softTtl: general(cacheTimes.cacheSoftTtlPercent),
  reread: general(cacheTimes.cacheReread),
  staleWhileRevalidate: general(cacheTimes.staleWhileRevalidateMs),
  readPreference: general(topology.readPreference),
  staleIfError: general(cacheFreshness.staleIfErrorMs),
  whenAway: general(outage.whenAway),
  rateLimit: general(shedding.rateLimit),
  leases: own({
    ...onOff({ flag: 'leases', help: 'Of several reads that find nothing, one loads and the others wait' }),
    initial: 'off',
  }),
  leaseWait: own(
    duration({
      flag: 'leaseWait',
      initial: '1s',
      min: 10,
      max: MINUTE,
      help: "How long a read waits for another's load before it gets its nil",
    }),
  ),
  leaseTtl: own(
    duration({
      flag: 'leaseTtl',
      initial: '5s',
      min: 100,
      max: 10 * MINUTE,
      help: 'How long the loader has before another may load',
    }),
  ),
};

const NAMES = Object.keys(POLICY_PARTS) as readonly (keyof PolicySettings)[];

const POLICIES_FORM =
  'prefix=TEXT and other parts of a policy, separated by ;, policies by a comma (in the file: a list of maps)';

/** A policy as a map of its parts; what is left out and has no default of its own stays undefined. */
const policySchema = z.strictObject(
  Object.fromEntries(NAMES.map((name) => [name, partSchema(POLICY_PARTS[name])])),
  // As in schema.ts: `fromEntries` forgets which name has which type.
) as unknown as z.ZodType<PolicySettings>;

/** `--policy`: a text, or in the file a list of maps. Errors: every mistake in every policy is an issue of its own. */
export const policiesOption: Option<readonly PolicySettings[]> = {
  flag: 'policy',
  schema: z.unknown().optional().transform(readPolicies).meta(fileSchema()),
  form: POLICIES_FORM,
  help: 'How keys with a prefix are cached, such as "prefix=session:;maxTtl=10s"; may be given many times',
  isList: true,
};

/** The policies of a configuration, each filled up from the general options. */
export function policyTable(settings: Settings): PolicyTable {
  const rules: Required<PolicyRules> = {
    isCached: true,
    maxTtlMs: settings.cacheMaxTtlMs,
    negativeTtlMs: settings.cacheNegativeTtlMs,
    jitterPercent: settings.cacheTtlJitterPercent,
    softTtlPercent: settings.cacheSoftTtlPercent,
    isReread: settings.cacheReread === 'on',
    staleWhileRevalidateMs: settings.staleWhileRevalidateMs,
    readPreference: settings.readPreference,
    lease: undefined,
    staleIfErrorMs: settings.staleIfErrorMs,
    whenAway: settings.whenAway,
    rateLimit: settings.rateLimit,
  };
  return new PolicyTable(
    rules,
    settings.policies.map((given) => ({ prefix: given.prefix, rules: rulesOf(given, rules) })),
  );
}

function rulesOf(given: PolicySettings, general: Required<PolicyRules>): PolicyRules {
  return {
    isCached: given.cache,
    maxTtlMs: given.maxTtl ?? general.maxTtlMs,
    negativeTtlMs: given.negativeTtl ?? general.negativeTtlMs,
    jitterPercent: given.ttlJitter ?? general.jitterPercent,
    softTtlPercent: given.softTtl ?? general.softTtlPercent,
    isReread: given.reread === undefined ? general.isReread : given.reread === 'on',
    staleWhileRevalidateMs: given.staleWhileRevalidate ?? general.staleWhileRevalidateMs,
    readPreference: given.readPreference ?? general.readPreference,
    staleIfErrorMs: given.staleIfError ?? general.staleIfErrorMs,
    whenAway: given.whenAway ?? general.whenAway,
    rateLimit: given.rateLimit ?? general.rateLimit,
    lease: given.leases ? { waitMs: given.leaseWait, ttlMs: given.leaseTtl } : undefined,
  };
}

function readPolicies(given: unknown, context: z.RefinementCtx): readonly PolicySettings[] {
  const report: Report = (message, form = POLICIES_FORM) => {
    context.addIssue({ code: 'custom', message, params: { form } });
  };
  if (given === undefined) return [];
  const list = typeof given === 'string' ? given.split(',') : given;
  if (!Array.isArray(list)) {
    report(`${quote(given)} is not accepted`);
    return [];
  }
  if (list.length >= POLICIES_MAX) {
    report(`${list.length} policies`, `up to ${POLICIES_MAX - 1} policies`);
    return [];
  }
  const prefixes = new Set<string>();
  return list.flatMap((item, index) => readPolicy(item, index, prefixes, report));
}

/** Shape: `prefixes` holds those of the policies before. One element, or none where there is a mistake, which was reported. */
function readPolicy(
  given: unknown,
  index: number,
  prefixes: Set<string>,
  report: Report,
): readonly PolicySettings[] {
  let name = `policy ${index + 1}`;
  const reportHere: Report = (message, form) => report(`${name}: ${message}`, form);
  const parts = typeof given === 'string' ? readParts(given, reportHere) : given;
  if (!isMap(parts)) {
    reportHere(`${quote(parts)} is not a map of its parts`);
    return [];
  }
  const prefix = parts['prefix'];
  if (typeof prefix === 'string' && prefix !== '') {
    name = `policy "${prefix}"`;
    // Checked on what was given, so that it shows beside other mistakes of the policy.
    const bytes = parsePrefix(prefix)?.toString('latin1');
    if (bytes !== undefined && prefixes.has(bytes)) reportHere('comes twice', 'one policy a prefix');
    if (bytes !== undefined) prefixes.add(bytes);
  }
  const { data, error } = policySchema.safeParse(parts);
  for (const issue of error?.issues ?? []) reportPartIssue(issue, parts, POLICY_PARTS, reportHere);
  if (data?.leases === false) {
    for (const part of ['leaseWait', 'leaseTtl'].filter((part) => part in parts)) {
      reportHere(`${part} is of no use without leases`, 'leases=on beside it');
    }
  }
  return data === undefined ? [] : [data];
}

/** Read `key=value` parts separated by `;`. */
function readParts(text: string, report: Report): Record<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.split(';').map((untrimmed) => untrimmed.trim())) {
    if (part === '') continue;
    const [, name, value] = /^(\w+)\s*=\s*(.*)$/s.exec(part) ?? [];
    if (name === undefined || value === undefined) report(`${quote(part)} is not a part`, 'name=value');
    else if (parts.has(name)) report(`${name} is given twice`, 'each part once');
    else parts.set(name, value);
  }
  return Object.fromEntries(parts);
}

function readPrefix(text: string): Parsed<Buffer> {
  const prefix = parsePrefix(text);
  if (prefix === undefined)
    return { problem: `"${text}" has a backslash that begins neither \\xNN nor \\\\` };
  if (prefix.length === 0) return { problem: 'is empty; the general options are for all other keys' };
  if (prefix.length > PREFIX_BYTES_MAX) return { problem: `has ${prefix.length} bytes` };
  return { value: prefix };
}

/** A part with a default of its own. */
function own<T>({ schema, form, help, initial }: Option<T>): PolicyPart<T> {
  return { schema, form, help, initial: String(initial) };
}

/** A part that is taken from a general option when left out, and means the same. */
function general<T>({ flag, schema, form, help }: Option<T>): PolicyPart<T> {
  return { schema, form, help, general: flag };
}

function partSchema(part: PolicyPart): z.ZodType {
  if (part.initial !== undefined) return part.schema.prefault(part.initial).describe(part.help);
  if (part.general === undefined) return part.schema.describe(part.help);
  return part.schema.optional().describe(`${part.help}. As --${part.general} when left out`);
}

/** The JSON Schema of the list in the file; the parser takes anything, so as to name what is wrong. */
function fileSchema(): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(z.array(policySchema).max(POLICIES_MAX - 1), {
    io: 'input',
  });
  return schema;
}
