import type { Census } from '../reshard/census.ts';
import type { Phase, RunResult } from '../reshard/run.ts';
import { movingOf } from '../reshard/run.ts';
import type { ShardStatus } from '../reshard/status.ts';

/** How the tool speaks to a person, or in JSON lines to a program. */
export class ReshardOutput {
  readonly #isJson: boolean;
  readonly #write: (text: string) => void;
  readonly #isTerminal: boolean;
  #lastWait = '';
  #hasProgress = false;
  #phase = '';

  constructor(isJson: boolean, isTerminal: boolean, write: (text: string) => void) {
    this.#isJson = isJson;
    this.#isTerminal = isTerminal;
    this.#write = write;
  }

  phase(phase: Phase): void {
    this.#phase = phase;
    this.#say({ phase }, phase);
  }

  waiting(text: string): void {
    if (text === this.#lastWait) return;
    this.#lastWait = text;
    this.#say({ waiting: text }, text);
  }

  /** One line that is written over on a terminal, and not at all into a file. */
  progress(moved: number, total: number, ratePerSecond: number): void {
    if (this.#isJson) return this.#write(`${JSON.stringify({ phase: this.#phase, moved, total })}\n`);
    if (!this.#isTerminal) return;
    this.#hasProgress = true;
    const left = Math.max(0, Math.ceil((total - moved) / Math.max(1, ratePerSecond)));
    this.#write(
      `\r\u001B[Kmoved ${moved} of about ${total} keys, ${Math.round(ratePerSecond)}/s, ${left} s left`,
    );
  }

  plan(census: Census): void {
    const rows = census.flows.map(({ from, to, keys, bytes }) => [from, to, String(keys), sizeOf(bytes)]);
    const strays = census.shards.filter((shard) => shard.strays > 0);
    const all = census.shards.reduce((sum, { keys }) => sum + keys, 0);
    const moving = movingOf(census);
    const share = all === 0 ? 0 : (100 * moving) / all;
    this.#say(
      { shards: census.shards, flows: census.flows, keys: all, moving },
      [
        ...table(['from', 'to', 'keys', 'about'], rows),
        `${moving} of ${all} keys move (${share.toFixed(1)} %)`,
        ...strays.map(
          ({ name, strays: count }) => `${count} keys on ${name} do not belong there in the old ring`,
        ),
      ].join('\n'),
    );
  }

  status(shards: readonly ShardStatus[]): void {
    const rows = shards.map(({ shard, record, acks, silent }) => [
      shard,
      record?.state ?? '-',
      record === undefined ? '-' : `${record.from} to ${record.to}`,
      [...Object.entries(acks), ...(silent > 0 ? [['do not report', silent] as const] : [])]
        .map(([ack, count]) => `${count} ${ack}`)
        .join(', '),
    ]);
    this.#say({ status: shards }, table(['shard', 'state', 'ring', 'nearcaches'], rows).join('\n'));
  }

  result({ moved, method, conflicts }: RunResult): void {
    const shown = conflicts
      .slice(0, 20)
      .map(({ shard, other, db, key }) => ({ shard, other, db, key: key.toString('latin1') }));
    const lines = shown.map(
      ({ shard, other, db, key }) =>
        `${JSON.stringify(key)} of database ${db} is on ${shard} and on ${other}`,
    );
    this.#say(
      { moved, method, conflicts: conflicts.length, examples: shown },
      conflicts.length === 0
        ? `done: ${moved} keys moved here, all shards have the new ring`
        : [
            `${conflicts.length} keys have different values on two shards; nothing is lost, and nothing was ended:`,
            ...lines,
          ].join('\n'),
    );
  }

  #say(fact: object, text: string): void {
    if (this.#isJson) return this.#write(`${JSON.stringify(fact)}\n`);
    this.#write(`${this.#hasProgress ? '\n' : ''}${text}\n`);
    this.#hasProgress = false;
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} b`;
  return bytes < 1_048_576 ? `${Math.round(bytes / 1024)} kb` : `${Math.round(bytes / 1_048_576)} mb`;
}
