import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Deployment, type IDeployment } from 'kubernetes-models/apps/v1';
import { ConfigMap, type IService, Service } from 'kubernetes-models/v1';

import type { Manifest } from './manifests.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Compares files of manifests with the types that kubernetes-models makes out of the API's own description: unknown fields
 *  and wrong types at any depth, and most enums. One run of the compiler does all.
 *  Shape: the problems of each file, in the same order. */
export function typeProblems(files: readonly (readonly Manifest[])[]): string[][] {
  const dir = mkdtempSync(join(tmpdir(), 'nearcache-manifests-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    for (const [index, manifests] of files.entries()) {
      writeFileSync(
        join(dir, `file${index}.ts`),
        manifests.map((manifest, n) => typed(manifest, n)).join(''),
      );
    }
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', dir, '--pretty', 'false'], {
      cwd: dir,
      encoding: 'utf8',
    });
    const lines = stdout.split('\n').filter((line) => line !== '');
    return files.map((_, index) => lines.filter((line) => line.startsWith(`file${index}.ts(`)));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const compilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: 'nodenext',
  target: 'es2024',
  types: [],
};

function typed(manifest: Manifest, index: number): string {
  const { apiVersion, kind } = manifest;
  const type = `import('kubernetes-models/${apiVersion}').I${kind}`;
  return `export const manifest${index}: ${type} = ${JSON.stringify(manifest, null, 2)};\n`;
}

const VALIDATORS: Readonly<Record<string, (manifest: Manifest) => void>> = {
  'v1 ConfigMap': (manifest) => new ConfigMap(manifest).validate(),
  'v1 Service': (manifest) => new Service(manifest as IService).validate(),
  'apps/v1 Deployment': (manifest) => new Deployment(manifest as IDeployment).validate(),
};

/** What the validators of kubernetes-models refuse, such as quantities, which are any text to a compiler. */
export function modelProblems(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) => {
    const { apiVersion, kind } = manifest;
    const validate = VALIDATORS[`${apiVersion} ${kind}`];
    if (validate === undefined) return [`no ${kind} of ${apiVersion} is known here`];
    try {
      validate(manifest);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
}

export const hasKubectl: boolean = spawnSync('kubectl', ['version', '--client']).status === 0;

/** What kubectl's own types, those of the API server, refuse or lose. Without a cluster it reads pods and their templates only. */
export function kubectlProblems(manifest: Manifest): string[] {
  const args = [
    'set',
    'env',
    '--local',
    '--filename',
    '-',
    '--containers',
    '*',
    'PASSED=through',
    '--output',
    'json',
  ];
  const { status, stdout, stderr } = spawnSync('kubectl', args, {
    input: JSON.stringify(manifest),
    encoding: 'utf8',
    env: { ...process.env, KUBECONFIG: '/dev/null' },
  });
  return status === 0 ? lost(manifest, JSON.parse(stdout), '') : [stderr];
}

/** What is in `before` and not in `after`. */
function lost(before: unknown, after: unknown, path: string): string[] {
  if (typeof before !== 'object' || before === null)
    return before === after ? [] : [`${path} is not known to kubectl`];
  const other = typeof after === 'object' && after !== null ? (after as Record<string, unknown>) : {};
  return Object.entries(before).flatMap(([key, value]) => lost(value, other[key], `${path}/${key}`));
}
