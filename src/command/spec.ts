/** Where a command runs. The set is closed: a switch over it must be exhaustive. */
export type Place =
  /** The shared connection, pipelined with other sessions' commands. */
  | 'shared'
  /** Answered or driven by the session itself: it holds the state that such a command reads or changes. */
  | 'session'
  /** The subscribe family: the session's subscriptions. */
  | 'subscribe'
  /** One pinned connection for this call. */
  | 'pinned'
  /** A pinned connection that the session keeps afterwards: the command leaves state on it. */
  | 'sticky'
  /** The control connection: it must not queue behind commands. */
  | 'control'
  /** Never sent: the connection would turn into a replication link. */
  | 'refused';

/** none: names no key and changes none. declared: the named keys are all it may change. unknown: it may change keys
 *  that the call does not name, so its reply needs a barrier (coherence spec R6). */
export type KeyAccess = 'none' | 'declared' | 'unknown';

/** Coherence spec §7. A: one key. B: splits into one entry a key. C: one entry that depends on several keys.
 *  D: cacheable unless the call reads keys that it does not name. '': never. */
export type CacheClass = 'A' | 'B' | 'C' | 'D' | '';

/** What the numbers of `CommandSpec.family` mean: the groups of COMMAND DOCS that hold data, and all the rest. */
export const FAMILIES: readonly string[] = [
  'string',
  'hash',
  'list',
  'set',
  'sorted-set',
  'bitmap',
  'geo',
  'hyperloglog',
  'stream',
  'generic',
  'other',
];

/** Which hand-written rule of keys.ts finds the keys; '' = the key specs do. */
export type KeyRule = '' | 'first' | 'streams' | 'sort' | 'georadius' | 'migrate';

/** What flags and key specs do not say exactly, and overrides.ts may correct. */
export interface CommandTraits {
  readonly place: Place;
  readonly keyAccess: KeyAccess;
  readonly cacheClass: CacheClass;
  readonly isWrite: boolean;
  readonly isBlocking: boolean;
  readonly isSlow: boolean;
  readonly flushesAll: boolean;
}

/** One command, or one subcommand of a container. All instances have one hidden class.
 *
 *  Shape: `name` in lower case, a subcommand as `client|list`; `id` is its index in `allCommands()`. */
export interface CommandSpec extends CommandTraits {
  readonly name: string;
  readonly id: number;
  /** A place in `FAMILIES`, under which its reads are counted. */
  readonly family: number;
  /** As Redis counts: the name included, negative = at least. For documentation: arity errors come from Redis. */
  readonly arity: number;
  /** Names keys that it may modify; such keys are revoked (coherence spec R5). A readonly command can be one too:
   *  PFCOUNT rewrites its key's cached cardinality. */
  readonly isWrite: boolean;
  /** Flagged readonly by Redis. */
  readonly isRead: boolean;
  /** Refused by a Redis that is out of memory. */
  readonly needsMemory: boolean;
  /** May block. Whether one call does: `mayBlock` in keys.ts; a call that does runs pinned, whatever `place` says. */
  readonly isBlocking: boolean;
  /** The subscribe family, not PUBLISH. */
  readonly isPubSub: boolean;
  /** PUBLISH and SPUBLISH. */
  readonly isPublish: boolean;
  /** Gets the long time-out. */
  readonly isSlow: boolean;
  /** Revokes everything, at dispatch and at reply (coherence spec §6.3). */
  readonly flushesAll: boolean;
  /** May be called with no key at all (EVAL … 0). */
  readonly mayLackKeys: boolean;
  /** The index of its only key, or 0 when it has another number of keys: the hot case of `extractKeys`. */
  readonly onlyKey: number;
  readonly keyRule: KeyRule;
  /** `packedLength` numbers a key spec; see `packKeySpecs`. */
  readonly keySpecs: Int32Array;
  readonly tips: readonly string[];
  readonly since: string;
  /** Why overrides.ts says otherwise than the flags; '' when it does not. */
  readonly reason: string;
  readonly subcommands: ReadonlyMap<string, CommandSpec> | undefined;
}

/** A key spec as the server describes it; which fields there are depends on its kind. */
export interface KeySpecDescription {
  readonly access: 'RO' | 'RW' | 'OW' | 'RM' | 'not_key';
  /** begin_search index. */
  readonly index?: number;
  /** begin_search keyword. */
  readonly keyword?: string;
  readonly startfrom?: number;
  /** find_keys range. */
  readonly lastkey?: number;
  readonly limit?: number;
  /** find_keys keynum. */
  readonly keynumidx?: number;
  readonly firstkey?: number;
  readonly keystep?: number;
  readonly unknown?: boolean;
}

/** One line of commands.generated.json. */
export interface CommandDescription {
  readonly name: string;
  readonly arity: number;
  readonly since: string;
  /** As COMMAND DOCS says; module commands have none. */
  readonly group?: string;
  readonly flags: readonly string[];
  readonly tips?: readonly string[];
  readonly keySpecs?: readonly KeySpecDescription[];
  readonly container?: boolean;
}

/** One correction: for these commands, these traits, for this reason. */
export interface Override {
  readonly commands: readonly string[];
  readonly set: Partial<CommandTraits>;
  readonly reason: string;
}

/** Numbers that one packed key spec takes. */
export const packedLength = 4;

/** Key specs as numbers, `packedLength` each: where it begins; 1 if a count precedes the keys, else 0; where the count
 *  is, or the last key, both relative to the beginning (a negative last key: to the end); the step between keys. */
function packKeySpecs(specs: readonly KeySpecDescription[]): Int32Array {
  return Int32Array.from(
    specs.flatMap((spec) => [
      spec.index ?? 0,
      spec.keynumidx === undefined ? 0 : 1,
      spec.keynumidx ?? spec.lastkey ?? 0,
      spec.keystep ?? 1,
    ]),
  );
}

/** Whether `packKeySpecs` can express it; what it cannot needs a rule in keys.ts. */
function isPlain(spec: KeySpecDescription): boolean {
  if (spec.index === undefined) return false;
  if (spec.keynumidx === undefined) return spec.lastkey !== undefined && !spec.limit;
  return spec.firstkey === spec.keynumidx + 1 && spec.keystep === 1;
}

/** Commands whose keys no key spec finds exactly; keys.ts has a function for each rule. */
const keyRules: ReadonlyMap<string, KeyRule> = new Map<string, KeyRule>([
  ['xread', 'streams'],
  ['xreadgroup', 'streams'],
  ['sort', 'sort'],
  ['sort_ro', 'first'],
  ['georadius', 'georadius'],
  ['georadiusbymember', 'georadius'],
  ['migrate', 'migrate'],
]);

function realKeySpecs(command: CommandDescription): readonly KeySpecDescription[] {
  return (command.keySpecs ?? []).filter((spec) => spec.access !== 'not_key');
}

/** What the server's own description says, before overrides. */
function traitsFromFlags(command: CommandDescription): CommandTraits {
  const keySpecs = realKeySpecs(command);
  const isBlocking = command.flags.includes('blocking');
  return {
    // A container itself is met only with a subcommand that the table does not know: treated as an unknown command.
    place: isBlocking || command.container ? 'pinned' : 'shared',
    keyAccess: command.container ? 'unknown' : keySpecs.length > 0 ? 'declared' : 'none',
    cacheClass: '',
    isWrite: command.flags.includes('write') || keySpecs.some((spec) => spec.access !== 'RO'),
    isBlocking,
    isSlow: false,
    flushesAll: false,
  };
}

function familyOf(group: string | undefined): number {
  const known = FAMILIES.indexOf(group ?? '');
  return known < 0 ? FAMILIES.length - 1 : known;
}

function makeSpec(
  command: CommandDescription,
  id: number,
  overrides: readonly Override[],
  subcommands: ReadonlyMap<string, CommandSpec> | undefined,
): CommandSpec {
  const rows = overrides.filter((row) => row.commands.includes(command.name));
  const traits = rows.reduce((sum, row) => ({ ...sum, ...row.set }), traitsFromFlags(command));
  const keyRule = keyRules.get(command.name) ?? '';
  const keySpecs = realKeySpecs(command);
  if (keyRule === '' && !keySpecs.every(isPlain)) {
    throw new Error(`${command.name}: its keys need a rule in keys.ts`);
  }
  const [only] = keySpecs;
  const isSingle = keyRule === '' && keySpecs.length === 1 && only?.lastkey === 0;
  return {
    name: command.name,
    id,
    family: familyOf(command.group),
    arity: command.arity,
    place: traits.place,
    keyAccess: traits.keyAccess,
    cacheClass: traits.cacheClass,
    isWrite: traits.isWrite,
    isRead: command.flags.includes('readonly'),
    needsMemory: command.flags.includes('denyoom'),
    isBlocking: traits.isBlocking,
    isPubSub: traits.place === 'subscribe',
    isPublish: command.name === 'publish' || command.name === 'spublish',
    isSlow: traits.isSlow,
    flushesAll: traits.flushesAll,
    mayLackKeys: command.flags.includes('no_mandatory_keys'),
    onlyKey: isSingle ? (only?.index ?? 0) : 0,
    keyRule,
    keySpecs: keyRule === '' ? packKeySpecs(keySpecs) : new Int32Array(0),
    tips: command.tips ?? [],
    since: command.since,
    reason: rows.map((row) => row.reason).join(' '),
    subcommands,
  };
}

/** Specs for all described commands, subcommands included, sorted by name. Errors: throws for a command whose key
 *  specs cannot be evaluated and that has no rule. */
export function makeSpecs(
  descriptions: readonly CommandDescription[],
  overrides: readonly Override[],
): readonly CommandSpec[] {
  // A container sorts before its subcommands, which have its name as a prefix.
  const commands = descriptions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const bySub = new Map<string, Map<string, CommandSpec>>();
  for (const command of commands) if (command.container) bySub.set(command.name, new Map());
  return commands.map((command, id) => {
    const spec = makeSpec(command, id, overrides, bySub.get(command.name));
    const bar = command.name.indexOf('|');
    if (bar > 0) bySub.get(command.name.slice(0, bar))?.set(command.name.slice(bar + 1), spec);
    return spec;
  });
}
