import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { edited, type Killer, type Mutant } from './mutant.ts';

/** What became of a mutant. killed = a test said that a rule is broken; broken = it did not even run, which proves nothing. */
export type Fate =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'survived' | 'broken'; readonly why: string };

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** Minutes of work on a machine that is busy with other things; only what hangs comes near it. */
const TIME_LIMIT_MS = 900_000;
/** What a failing test says when the edit did not remove a rule but broke the program. */
const NO_VERDICT = /^(SyntaxError|TypeError|ReferenceError)\b/;

/** A copy of this project, to be harmed. Several may work side by side.
 *  Bounds: a run of tests that takes longer than TIME_LIMIT_MS is killed. */
export class Laboratory {
  readonly #folder: string;
  readonly #lane: number;

  /** `lane`: a number of its own among all that start servers at the same time (test/support/own-ports.ts). */
  constructor(lane: number) {
    this.#lane = lane;
    this.#folder = mkdtempSync(join(tmpdir(), 'nearcache-mutants-'));
    for (const name of COPIED) cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'));
    mkdirSync(join(this.#folder, 'reports'));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Harm the copy, run the killers until one fails, and heal the copy. */
  async try(mutant: Mutant): Promise<Fate> {
    const healthy = new Map(mutant.edits.map(({ file }) => [file, this.#read(file)]));
    try {
      for (const edit of mutant.edits) {
        writeFileSync(join(this.#folder, edit.file), edited(this.#read(edit.file), edit));
      }
      let fate: Fate = { kind: 'survived', why: 'no killer is named' };
      for (const killer of mutant.killers) {
        fate = await this.run(killer);
        if (fate.kind !== 'survived') break;
      }
      return fate;
    } catch (error) {
      return { kind: 'broken', why: String(error) };
    } finally {
      for (const [file, text] of healthy) writeFileSync(join(this.#folder, file), text);
    }
  }

  /** Run tests on the copy as it is. */
  async run({ file, titles = [] }: Killer): Promise<Fate> {
    const report = join(this.#folder, 'reports', 'last.json');
    rmSync(report, { force: true });
    const pattern = titles.map((title) => title.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('|');
    const args = ['run', file, '--bail=1', '--no-cache', '--no-fsModuleCache', '--reporter=json'];
    if (pattern !== '') args.push('-t', pattern);
    const output = await this.#vitest([...args, `--outputFile=${report}`]);
    let text: string;
    try {
      text = readFileSync(report, 'utf8');
    } catch {
      return { kind: 'broken', why: `no report: ${output.slice(-2000)}` };
    }
    return judge(JSON.parse(text) as Report);
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  async #vitest(args: readonly string[]): Promise<string> {
    const main = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^VITEST|^TEST$/.test(name)),
    );
    const child = spawn(process.execPath, [main, ...args], {
      cwd: this.#folder,
      env: { ...env, NEARCACHE_TEST_LANE: String(this.#lane) },
      timeout: TIME_LIMIT_MS,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    await once(child, 'close');
    return output;
  }
}

/** As much of vitest's JSON report as is needed. */
interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function judge({ testResults }: Report): Fate {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.find(({ status }) => status === 'failed');
  if (failed === undefined) {
    const ran = tests.filter(({ status }) => status === 'passed').length;
    const trouble = testResults.map(({ message }) => message).join('\n');
    if (ran === 0) return { kind: 'broken', why: `no test ran: ${trouble}` };
    return { kind: 'survived', why: `${ran} tests passed` };
  }
  const why = failed.failureMessages.join('\n');
  if (NO_VERDICT.test(why)) return { kind: 'broken', why };
  return { kind: 'killed', by: failed.fullName };
}
