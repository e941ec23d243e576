import { createReadStream, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { HotRead } from '../cache/hot-key-list.ts';
import type { CommandSpec } from '../command/spec.ts';
import { allCommands, commandByName } from '../command/table.ts';
import { isPreloadable } from '../session/preload.ts';

/** Names in a file: a line has database, command and key, with one blank between. Of the key, bytes that are no visible
 *  ASCII, and the backslash, are `\xHH`. Lines that begin with # are comments. */
const HEAD = '# The keys that nearcache answered most, most first: database, command, key.\n';
const LINE = /^(\d{1,5}) ([a-z_]+) ((?:[!-[\]-~]|\\x[0-9a-f]{2})*)$/;
const DB_MAX = 65_535;
/** More is not read, whatever the file is. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;

/** Write the names in place of what the file had, whole or not at all. Returns how many.
 *  Errors: throws what the file system says. */
export function writeHotKeys(path: string, reads: readonly HotRead[]): number {
  const lines = reads.flatMap((read) => lineOf(read) ?? []);
  // Beside it, since a file moves in one step only within a file system. Names tell of people: for this user only.
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, HEAD + lines.join(''), { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return lines.length;
}

/** Read at most `max` names; `bad` counts lines that are none.
 *  Errors: rejects with what the file system says. */
export async function readHotKeys(path: string, max: number): Promise<{ reads: HotRead[]; bad: number }> {
  const input = createReadStream(path, { encoding: 'latin1', end: FILE_BYTES_MAX - 1 });
  const reads: HotRead[] = [];
  let bad = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line === '' || line.startsWith('#')) continue;
    const read = readOf(line);
    if (read === undefined) bad++;
    else reads.push(read);
    if (reads.length >= max) break;
  }
  input.destroy();
  return { reads, bad };
}

function lineOf({ db, commandId, key }: HotRead): string | undefined {
  const spec = allCommands()[commandId] as CommandSpec;
  return isPreloadable(spec) ? `${db} ${spec.name} ${escaped(key)}\n` : undefined;
}

function readOf(line: string): HotRead | undefined {
  const [, db, name = '', key = ''] = LINE.exec(line) ?? [];
  const spec = commandByName(name);
  if (spec === undefined || !isPreloadable(spec) || Number(db) > DB_MAX) return undefined;
  return { db: Number(db), commandId: spec.id, key: unescaped(key) };
}

function escaped(key: Buffer): string {
  return key.toString('latin1').replace(/[^!-[\]-~]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function unescaped(text: string): Buffer {
  const plain = text.replace(/\\x(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}
