import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { type Instruction, isIgnored, type Stage } from './dockerfile.ts';

interface Context {
  /** The folder that is built. */
  readonly source: string;
  readonly stages: readonly Stage[];
  readonly ignore: string;
  /** Where stages are put, a folder each. */
  readonly target: string;
}

/** Runs the steps of a stage in a folder instead of a container, and gives the folder that stands for `/`. What would need a
 *  registry is taken from here: the base image is this machine, and `npm ci` what package-lock.json lists of node_modules.
 *  Errors: throws when a step fails, names a file that is not there, or is of a kind unknown here. */
export function buildStage(context: Context, name: string): string {
  const stage = context.stages.find((each) => each.name === name);
  if (stage === undefined) throw new Error(`there is no stage ${name}`);
  const root = join(context.target, name);
  if (existsSync(root)) return root;
  const isStage = context.stages.some((each) => each.name === stage.from);
  const below = isStage ? buildStage(context, stage.from) : undefined;
  if (below !== undefined && stage.instructions.length === 0) return below;
  if (below === undefined) mkdirSync(root, { recursive: true });
  else copyAll(below, root);
  let workdir = root;
  for (const step of stage.instructions) {
    if (step.word === 'WORKDIR') mkdirSync((workdir = join(root, step.rest)), { recursive: true });
    if (step.word === 'COPY') copy(context, step, workdir);
    if (step.word === 'RUN') run(context, step, workdir);
  }
  return root;
}

/** As the kernel shows it to a container without a writable filesystem: nobody may write. */
export function makeReadOnly(folder: string): void {
  const { status } = spawnSync('chmod', ['-R', 'a+rX,a-w', folder]);
  if (status !== 0) throw new Error(`cannot make ${folder} read-only`);
}

/** Its owner may remove it again. */
export function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  spawnSync('chmod', ['-R', 'u+w', folder]);
}

function copy(context: Context, { rest }: Instruction, workdir: string): void {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const to = words.pop() as string;
  const target = join(workdir, to);
  for (const word of words) {
    const source = from === undefined ? join(context.source, word) : join(buildStage(context, from), word);
    if (from === undefined && isIgnored(context.ignore, word)) {
      throw new Error(`COPY ${rest}: .dockerignore keeps ${word} out`);
    }
    if (to.endsWith('/') && statSync(source).isFile()) copyAll(source, join(target, basename(source)));
    else copyAll(source, target);
  }
}

/** By cp, which takes a tenth of the time of Node's own for thousands of files. */
function copyAll(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot copy ${from}: ${stderr}`);
}

function run(context: Context, { rest }: Instruction, workdir: string): void {
  const [command = '', ...flags] = rest.split(' --');
  if (command === 'npm ci') return installed(context, workdir, flags.includes('omit=dev'));
  if (command !== 'npm run build') throw new Error(`RUN ${rest}: no such step is known here`);
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], {
    cwd: workdir,
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  });
  if (status !== 0) throw new Error(`RUN ${rest} failed:\n${stdout}\n${stderr}`);
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

function installed({ source }: Context, workdir: string, isProduction: boolean): void {
  const lock = JSON.parse(readFileSync(join(workdir, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  if (!isProduction) return symlinkSync(join(source, 'node_modules'), join(workdir, 'node_modules'));
  for (const [path, { dev, devOptional }] of Object.entries(lock.packages)) {
    const from = join(source, path);
    if (path === '' || dev === true || devOptional === true || !existsSync(from)) continue;
    // Packages inside of it are in the list themselves, if they belong to it.
    const filter = (each: string): boolean => !each.slice(from.length).includes('/node_modules');
    cpSync(from, join(workdir, path), { recursive: true, filter });
  }
}
