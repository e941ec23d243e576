import { z } from 'zod';
import { keyHashNames } from '../route/key-hashes.ts';
import { distributions } from '../route/ring.ts';
import type { Parsed } from './addresses.ts';
import { choice, type Option, type OptionRows, parsed, type RingSetting } from './option.ts';
import { isMap, type Part, type Report, reportPartIssue } from './parts.ts';
import { readShards, SHARD_PARTS, SHARDS_MAX } from './shards.ts';

type RingKey = 'ringDistribution' | 'ringHash' | 'ringHashTag';

/** How keys are placed over several shards; where the file has a `ring`, that says it. */
export const ringOptions: Pick<OptionRows, RingKey> = {
  ringDistribution: choice({
    flag: 'ring-distribution',
    initial: 'ketama',
    words: distributions,
    help: 'How the hash of a key becomes a shard; ketama = few keys move when shards are added. As in twemproxy',
  }),
  ringHash: choice({
    flag: 'ring-hash',
    initial: 'fnv1a_64',
    words: keyHashNames,
    help: 'Hash that places a key. As in twemproxy',
  }),
  ringHashTag: parsed({
    flag: 'ring-hash-tag',
    initial: '{}',
    form: 'two visible ASCII characters, or off (in the file: quoted)',
    parse: parseHashTag,
    help: 'Only what is between these two places a key that has them, so that keys can be kept together; off = the whole key always',
  }),
};

/** The parts of `ring` by name. */
export const RING_PARTS: Readonly<Record<keyof RingSetting, Part>> = {
  distribution: ringOptions.ringDistribution,
  hash: ringOptions.ringHash,
  hashTag: ringOptions.ringHashTag,
  shards: {
    schema: z.array(z.unknown()).min(1),
    form: `a list of 1 to ${SHARDS_MAX} maps of ${Object.keys(SHARD_PARTS).join(', ')}`,
    help: 'The shards. Required',
    secret: true,
  },
  next: {
    schema: z.unknown(),
    form: 'a ring: a map of the same parts, without next',
    help: 'The ring that this one is to become by `nearcache reshard`; keys are moved to it while both are used',
    secret: true,
  },
};

const RING_FORM = `a map of ${Object.keys(RING_PARTS).join(', ')}`;

/** Without `shards`, which are read one by one so that every mistake in them shows. */
const placingSchema = z.strictObject({
  distribution: ringOptions.ringDistribution.schema.optional(),
  hash: ringOptions.ringHash.schema.optional(),
  hashTag: ringOptions.ringHashTag.schema.optional(),
  shards: z.array(z.unknown()).min(1),
  next: z.unknown().optional(),
});

/** `ring` of the file. Errors: every mistake in it is an issue of its own. */
export const ringOption: Option<RingSetting | undefined> = {
  flag: 'ring',
  schema: z.unknown().optional().transform(readRing).meta(fileSchema()),
  form: RING_FORM,
  help: 'Instead of upstream in the file: the shards, and how keys are placed over them',
  isFileOnly: true,
  secret: true,
};

function readRing(given: unknown, context: z.RefinementCtx): RingSetting | undefined {
  const report: Report = (message, form = RING_FORM) => {
    context.addIssue({ code: 'custom', message, params: { form } });
  };
  const ring = readOneRing(given, report);
  const next = isMap(given) ? readOneRing(given['next'], report) : undefined;
  if (ring === undefined || next === undefined) return ring;
  if (isMap(given) && isMap(given['next']) && given['next']['next'] !== undefined) {
    report('next may not have a next of its own: one change after the other');
  }
  return { ...ring, next };
}

function readOneRing(given: unknown, report: Report): RingSetting | undefined {
  if (given === undefined) return undefined;
  if (!isMap(given)) {
    report('is not a map of its parts');
    return undefined;
  }
  const { data, error } = placingSchema.safeParse(given);
  for (const issue of error?.issues ?? []) reportPartIssue(issue, given, RING_PARTS, report);
  const shards = Array.isArray(given['shards']) ? readShards(given['shards'], report) : [];
  if (data === undefined) return undefined;
  const { distribution, hash, hashTag } = data;
  return { distribution, hash, hashTag, shards };
}

function parseHashTag(text: string): Parsed<string> {
  if (text === '' || text === 'off') return { value: '' };
  return /^[!-~]{2}$/.test(text) ? { value: text } : { problem: `"${text}" is not accepted` };
}

/** The JSON Schema of the map in the file; the parser takes anything, so as to name what is wrong. */
function fileSchema(): Record<string, unknown> {
  const described = ({ schema, help }: Part): z.ZodType => schema.describe(help);
  const shard = z.strictObject({
    name: described(SHARD_PARTS.name).optional(),
    url: described(SHARD_PARTS.url),
    weight: described(SHARD_PARTS.weight).optional(),
    replicas: described(SHARD_PARTS.replicas).optional(),
  });
  const parts = {
    distribution: described(RING_PARTS.distribution).optional(),
    hash: described(RING_PARTS.hash).optional(),
    hashTag: described(RING_PARTS.hashTag).optional(),
    shards: z.array(shard).min(1).max(SHARDS_MAX).describe(RING_PARTS.shards.help),
  };
  const ring = z.strictObject({
    ...parts,
    next: z.strictObject(parts).describe(RING_PARTS.next.help).optional(),
  });
  const { $schema: _, ...schema } = z.toJSONSchema(ring, { io: 'input' });
  return schema;
}
