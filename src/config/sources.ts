// The three places settings come from, each read into raw values by key, each with its own words for a name
// that it does not know. Values are not looked at here: the schema does that once, for the winner.

import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';
import type { Option, OptionKey } from './option.ts';
import { OPTION_ROWS, variableOf } from './options.ts';
import { nearestName } from './suggest.ts';

/** What one source gave. Shape: raw values by option key; `problems` one sentence each. */
export interface Source {
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly string[];
  /** How this source names an option, for messages. */
  readonly nameOf: (key: string) => string;
}

/** The variable and the flag that name the configuration file; not an option, since the file cannot hold it. */
export const FILE_FLAG = 'config';

// Kubernetes gives every pod such variables for each Service of its namespace; for one that is called
// `nearcache` they carry our prefix, and must not stop the sidecar.
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_\w+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/;

const FLAG_ROWS = OPTION_ROWS.filter(([, option]) => option.isFileOnly !== true);
const KEY_OF_FLAG: ReadonlyMap<string, OptionKey> = new Map(
  FLAG_ROWS.map(([key, option]) => [option.flag, key]),
);
const KEY_OF_VARIABLE: ReadonlyMap<string, OptionKey> = new Map(
  FLAG_ROWS.map(([key, option]) => [variableOf(option.flag), key]),
);
const OPTION_OF_KEY = new Map<string, Option>(OPTION_ROWS);

/** Read `--flag value` and `--flag=value`. A flag given twice counts once, the last time; a list flag adds up.
 *  Shape: `FILE_FLAG` is among the values. */
export function readFlags(argv: readonly string[]): Source {
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  const flags = [FILE_FLAG, ...KEY_OF_FLAG.keys()];
  const { tokens } = parseArgs({
    args: argv.map((arg, index) => (needsValue(arg, argv[index + 1]) ? `${arg}=` : arg)),
    options: Object.fromEntries(flags.map((flag) => [flag, { type: isSwitch(flag) ? 'boolean' : 'string' }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`${token.value}: not a flag; flags start with --`);
    if (token.kind !== 'option') continue;
    const key = token.name === FILE_FLAG ? FILE_FLAG : KEY_OF_FLAG.get(token.name);
    if (key === undefined) {
      problems.push(unknown(token.rawName, 'flag', nearestName(token.name, flags), '--'));
    } else if (isSwitch(token.name)) {
      values.set(key, token.value ?? true);
    } else if (!token.value) {
      problems.push(`--${token.name}: needs a value`);
    } else {
      const earlier = OPTION_OF_KEY.get(key)?.isList ? values.get(key) : undefined;
      values.set(key, typeof earlier === 'string' ? `${earlier},${token.value}` : token.value);
    }
  }
  return { values, problems, nameOf: (key) => `--${OPTION_OF_KEY.get(key)?.flag ?? key}` };
}

/** Read `NEARCACHE_*`. An empty variable counts as not set, since compose files cannot unset one. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): Source {
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  const variables = [variableOf(FILE_FLAG), ...KEY_OF_VARIABLE.keys()];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('NEARCACHE_') || !value || SERVICE_LINK.test(name)) continue;
    const key = name === variableOf(FILE_FLAG) ? FILE_FLAG : KEY_OF_VARIABLE.get(name);
    if (key !== undefined) values.set(key, value);
    else problems.push(unknown(name, 'variable', nearestName(name, variables)));
  }
  return { values, problems, nameOf: (key) => variableOf(OPTION_OF_KEY.get(key)?.flag ?? key) };
}

/** Read the YAML (or JSON) text of the file at `path`. */
export function readYaml(path: string, text: string): Source {
  const nameOf = (key: string): string => `${key} in ${path}`;
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => `${path}: ${error.message.split('\n')[0]}`);
    return { values: new Map(), problems, nameOf };
  }
  const content: unknown = document.toJS() ?? {};
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return { values: new Map(), problems: [`${path}: must hold "key: value" lines`], nameOf };
  }
  const values = new Map<string, unknown>(Object.entries(content));
  const problems: string[] = [];
  for (const key of values.keys()) {
    if (OPTION_OF_KEY.has(key)) continue;
    values.delete(key);
    problems.push(unknown(nameOf(key), 'key', nearestKey(key)));
  }
  return { values, problems, nameOf };
}

/** Whether a flag stands alone that may not: made visible as `--flag=`, or the next flag would be its value. */
function needsValue(arg: string, next: string | undefined): boolean {
  const flag = arg.slice('--'.length);
  const isKnown = arg.startsWith('--') && (flag === FILE_FLAG || KEY_OF_FLAG.has(flag));
  return isKnown && !isSwitch(flag) && (next === undefined || next.startsWith('--'));
}

/** People write flags into the file (`cacheSize`, `cache-size`); both names of an option lead to its key. */
function nearestKey(wrong: string): string | undefined {
  const flag = nearestName(wrong, [...KEY_OF_FLAG.keys()]);
  return nearestName(wrong, [...OPTION_OF_KEY.keys()]) ?? (flag && KEY_OF_FLAG.get(flag));
}

function isSwitch(flag: string): boolean {
  const key = KEY_OF_FLAG.get(flag);
  return key !== undefined && OPTION_OF_KEY.get(key)?.isSwitch === true;
}

function unknown(name: string, noun: string, nearest: string | undefined, prefix = ''): string {
  const hint = nearest === undefined ? 'see --help for those there are' : `did you mean ${prefix}${nearest}?`;
  return `${name}: no such ${noun}; ${hint}`;
}
