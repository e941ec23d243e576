import { extractKeys, KeyList } from '../../src/command/keys.ts';
import { resolve } from '../../src/command/table.ts';
import { textOf, type Argument } from '../support/raw-client.ts';
import { requestOf } from '../support/request-of.ts';
import { argumentsOf, fixture, type Line, type Step } from './script.ts';

/** These run in parts where their keys are, so their keys need not be together. */
const split: ReadonlySet<string> = new Set(['mget', 'mset', 'del', 'unlink', 'exists', 'touch']);

/** Stands among keys for the shard that runs what names no key. */
const home = '\0home';

/** How the keys of a case are renamed, for Redis and for nearcache alike, so that keys that a command needs together are on one
 *  shard, and all others anywhere. */
export interface Tags {
  /** A hash tag of the home shard. */
  readonly home: string;
  /** Hash tags of all shards in turn. */
  readonly any: readonly string[];
}

/** A case with its keys renamed. */
export interface Placed {
  readonly steps: readonly Step[];
  readonly fixture: readonly Line[];
}

/** Renames the keys of a case. A transaction needs all its keys together, and where it runs a command without keys, on the home
 *  shard. */
export function place(steps: readonly Step[], tags: Tags): Placed {
  const lines = steps.flatMap(linesOf).map(argumentsOf);
  const groups = new Groups();
  const known = new Set([
    'missing',
    ...fixture.flatMap((line) => keysOf(argumentsOf(line))),
    ...lines.flatMap(keysOf),
  ]);
  const isTransaction = lines.some((args) => ['multi', 'watch'].includes(word(args[0])));
  for (const args of lines) {
    const hidden = hiddenKeys(args, known);
    if (hidden.length > 0) groups.join([home, ...hidden, ...keysOf(args)]);
    else if (!split.has(word(args[0]))) groups.join(keysOf(args));
  }
  if (isTransaction) {
    // A MULTI inside another is a command without keys.
    const isPlain = lines.filter((args) => word(args[0]) === 'multi').length < 2;
    const isPlaced = isPlain && lines.every((args) => keysOf(args).length > 0 || isConnection(args));
    groups.join([...(isPlaced ? [] : [home]), ...lines.flatMap(keysOf)]);
  }
  // A step that is asked of Redis itself names keys of one shard.
  for (const step of steps) {
    if (typeof step === 'object' && 'until' in step) groups.join(keysOf(argumentsOf(step.until)));
  }
  const rename = groups.naming(tags);
  return {
    steps: steps.map((step) => mapped(step, (line) => renamed(line, rename, known))),
    fixture: fixture.map((line) => renamed(line, rename, known)),
  };
}

/** Sets of keys, joined as commands are found that name several. */
class Groups {
  readonly #parent = new Map<string, string>();

  join(keys: readonly string[]): void {
    const [first] = keys;
    if (first === undefined) return;
    for (const key of keys) this.#parent.set(this.#root(key), this.#root(first));
  }

  /** A key that is alone keeps its name. */
  naming(tags: Tags): (key: string) => string {
    const sizes = new Map<string, number>();
    for (const key of this.#parent.keys()) sizes.set(this.#root(key), (sizes.get(this.#root(key)) ?? 0) + 1);
    const shared = [...sizes].filter(([, size]) => size > 1).map(([root]) => root);
    const homes = this.#parent.has(home) ? this.#root(home) : undefined;
    return (key) => {
      const root = this.#root(key);
      const turn = shared.indexOf(root);
      if (turn < 0) return key;
      const tag = root === homes ? tags.home : (tags.any[turn % tags.any.length] as string);
      return `${tag}${key}`;
    };
  }

  #root(key: string): string {
    const parent = this.#parent.get(key);
    if (parent === undefined) {
      this.#parent.set(key, key);
      return key;
    }
    return parent === key ? key : this.#root(parent);
  }
}

function linesOf(step: Step): readonly Line[] {
  if (typeof step === 'string' || Array.isArray(step)) return [step as Line];
  if ('pipeline' in step) return step.pipeline;
  return 'send' in step ? [step.send] : [];
}

function mapped(step: Step, change: (line: Line) => Line): Step {
  if (typeof step === 'string' || !('on' in step || 'until' in step)) return change(step);
  if ('until' in step) return { ...step, until: change(step.until) };
  if ('pipeline' in step) return { ...step, pipeline: step.pipeline.map(change) };
  return 'send' in step ? { ...step, send: change(step.send) } : step;
}

function renamed(line: Line, rename: (key: string) => string, known: ReadonlySet<string>): Line {
  const args = argumentsOf(line);
  const indices = new Set(keyIndices(args));
  return args.map((argument, i) => {
    if (indices.has(i)) return rename(textOf(argument));
    if (isScript(args) && i === 1)
      return textOf(argument).replace(
        quoted,
        (whole, call: string | undefined, quote: string, name: string) =>
          call === undefined && known.has(name) ? `${quote}${rename(name)}${quote}` : whole,
      );
    return isDebug(args) && i > 1 && known.has(textOf(argument)) ? rename(textOf(argument)) : argument;
  });
}

const keyList = new KeyList();

function keyIndices(args: readonly Argument[]): readonly number[] {
  const request = requestOf(...args);
  const spec = resolve(request);
  if (spec === undefined) return [];
  extractKeys(spec, request, keyList);
  return [...keyList.indices.subarray(0, keyList.count)];
}

function keysOf(args: readonly Argument[]): string[] {
  return keyIndices(args).map((index) => textOf(args[index] as Argument));
}

/** A quoted word of a script; behind `call(` it is a command. */
const quoted = /(call\(\s*)?(["'])([\w:-]+)\2/g;

/** The keys that a command uses without saying so, at the home shard. */
function hiddenKeys(args: readonly Argument[], known: ReadonlySet<string>): string[] {
  if (isDebug(args))
    return args
      .slice(2)
      .map(textOf)
      .filter((name) => known.has(name));
  // It tells of a database that has keys, one of which is to be there.
  if (word(args[0]) === 'memory' && word(args[1]) === 'stats') return keysOf(argumentsOf(fixture[0] as Line));
  if (!isScript(args)) return [];
  return [...textOf(args[1] as Argument).matchAll(quoted)]
    .filter(([, call, , name = '']) => call === undefined && known.has(name))
    .map(([, , , name = '']) => name);
}

function isScript(args: readonly Argument[]): boolean {
  return args.length > 1 && ['eval', 'eval_ro'].includes(word(args[0]));
}

function isDebug(args: readonly Argument[]): boolean {
  return word(args[0]) === 'debug';
}

/** What is about the connection, or ends or begins a transaction, runs anywhere. */
function isConnection(args: readonly Argument[]): boolean {
  return ['multi', 'exec', 'discard', 'watch', 'unwatch', 'reset', 'quit', 'ping', 'echo'].includes(
    word(args[0]),
  );
}

function word(argument: Argument | undefined): string {
  return argument === undefined ? '' : textOf(argument).toLowerCase();
}
