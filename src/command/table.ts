import type { Request } from '../protocol/request.ts';
import data from './commands.generated.json' with { type: 'json' };
import { laterCommands, overrides, ownCommands } from './overrides.ts';
import { makeSpecs, type CommandDescription, type CommandSpec } from './spec.ts';

/** Redis folds A–Z only; every other byte, `_` and `-` included, must match as it is. */
const fold: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

/** Names found straight from bytes: open addressing, at most a quarter full.
 *  Cost: no allocation and no string on lookup; one pass over the bytes to hash and one to compare. */
class NameTable {
  readonly #mask: number;
  readonly #specs: (CommandSpec | undefined)[];
  readonly #names: Uint8Array[];
  readonly #longest: number;

  constructor(entries: Iterable<readonly [string, CommandSpec]>) {
    const list = [...entries];
    const size = 2 ** Math.ceil(Math.log2(list.length * 4));
    this.#mask = size - 1;
    this.#specs = Array.from({ length: size }, () => undefined);
    this.#names = Array.from({ length: size }, () => new Uint8Array(0));
    this.#longest = Math.max(...list.map(([name]) => name.length));
    for (const [name, spec] of list) this.#insert(Buffer.from(name, 'latin1'), spec);
  }

  #insert(name: Uint8Array, spec: CommandSpec): void {
    let at = this.#slot(name, 0, name.length);
    while (this.#specs[at] !== undefined) at = (at + 1) & this.#mask;
    this.#specs[at] = spec;
    this.#names[at] = name;
  }

  #slot(bytes: Uint8Array, start: number, end: number): number {
    let hash = end - start;
    for (let i = start; i < end; i++) hash = (hash * 31 + (fold[bytes[i] as number] as number)) | 0;
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  find(bytes: Uint8Array, start: number, end: number): CommandSpec | undefined {
    if (end - start > this.#longest) return undefined;
    let at = this.#slot(bytes, start, end);
    for (;;) {
      const spec = this.#specs[at];
      if (spec === undefined || isSame(this.#names[at] as Uint8Array, bytes, start, end)) return spec;
      at = (at + 1) & this.#mask;
    }
  }
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) if (fold[bytes[start + i] as number] !== name[i]) return false;
  return true;
}

const described = data.commands as readonly CommandDescription[];
const specs: readonly CommandSpec[] = makeSpecs([...described, ...laterCommands, ...ownCommands], overrides);
const byName: ReadonlyMap<string, CommandSpec> = new Map(specs.map((spec) => [spec.name, spec]));
const commands: NameTable = new NameTable(
  specs.filter((spec) => !spec.name.includes('|')).map((spec) => [spec.name, spec]),
);
/** By id of the container. */
const subcommands: readonly (NameTable | undefined)[] = specs.map((spec) =>
  spec.subcommands === undefined ? undefined : new NameTable(spec.subcommands),
);

/** The server whose description this table is, as `redis 7.0.15`. */
export const describedServer: string = data.server;

/** The command named by `buffer[start, end)`, in any case. A container comes back itself, never its subcommand. */
export function lookup(buffer: Buffer, start: number, end: number): CommandSpec | undefined {
  return commands.find(buffer, start, end);
}

/** The command of a request, or its subcommand where the command has one of that name. An unknown subcommand gives
 *  the container's own spec, which is treated as an unknown command: the server may be newer than the table. */
export function resolve(request: Request): CommandSpec | undefined {
  const spec = commands.find(request.buffer, request.argStart(0), request.argEnd(0));
  if (spec === undefined || request.argc < 2) return spec;
  const table = subcommands[spec.id];
  return table?.find(request.buffer, request.argStart(1), request.argEnd(1)) ?? spec;
}

/** Every command and subcommand, sorted by name; `spec.id` is the index. */
export function allCommands(): readonly CommandSpec[] {
  return specs;
}

/** Bounds: an id that a spec has. */
export function commandById(id: number): CommandSpec {
  return specs[id] as CommandSpec;
}

/** Shape: `name` in lower case, a subcommand as `client|list`. */
export function commandByName(name: string): CommandSpec | undefined {
  return byName.get(name);
}
