import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

import { manifestProblems } from './manifest-lint.ts';
import { hasKubectl, kubectlProblems, modelProblems, typeProblems } from './manifest-schema.ts';
import { deploymentsOf, type ManifestFile, podOf, readManifests } from './manifests.ts';
import { podSecurityProblems } from './pod-security.ts';
import { manifestMistakes } from './manifest-mistakes.ts';
import { schemaMistakes } from './schema-mistakes.ts';
import { sidecarMistakes } from './sidecar-mistakes.ts';
import { sidecarProblems } from './sidecar-lint.ts';

const text = readFileSync(fileURLToPath(new URL('../../k8s/sidecar-example.yaml', import.meta.url)), 'utf8');
const example = readManifests(text);
const mistakes = [...schemaMistakes, ...manifestMistakes, ...sidecarMistakes];
console.log(`k8s/sidecar-example.yaml is ${hasKubectl ? '' : 'not '}read by kubectl too`);

function lintProblems(file: ManifestFile): string[] {
  const security = deploymentsOf(file).flatMap((deployment) => podSecurityProblems(podOf(deployment)));
  return [...manifestProblems(file), ...security, ...sidecarProblems(file)];
}

function kubectlProblemsOf(file: ManifestFile): string[] {
  return deploymentsOf(file).flatMap((deployment) => kubectlProblems(deployment));
}

/** The file with one thing in it changed. */
function broken(from: string, to: string): ManifestFile {
  if (!text.includes(from)) throw new Error(`the example has no ${from}`);
  return readManifests(text.replace(from, to));
}

describe('k8s/sidecar-example.yaml', () => {
  /** Of the example first, then of each mistake. */
  let types: string[][];

  beforeAll(() => {
    const files = [example, ...mistakes.map(({ from, to }) => broken(from, to))];
    types = typeProblems(files.map(({ manifests }) => manifests));
  }, 120_000);

  it('has no mistake that its own rules know', () => {
    expect(lintProblems(example)).toEqual([]);
  });

  it('has the types of the Kubernetes API, and no field that it does not have', () => {
    expect(types[0]).toEqual([]);
    expect(modelProblems(example.manifests)).toEqual([]);
  });

  it.skipIf(!hasKubectl)('passes through kubectl without a loss', () => {
    expect(kubectlProblemsOf(example)).toEqual([]);
  });

  const cases = mistakes.map((mistake, index) => ({ ...mistake, index: index + 1 }));

  it.each(cases)('would not be merged with $title', ({ from, to, by, problem, index }) => {
    const file = broken(from, to);
    const problems = {
      rules: () => lintProblems(file),
      types: () => types[index] ?? [],
      models: () => modelProblems(file.manifests),
    };
    const found = problems[by]();
    expect(
      found.some((each) => each.includes(problem)),
      found.join('\n'),
    ).toBe(true);
  });

  it.skipIf(!hasKubectl)('has kubectl find what is no field or of no type, too', () => {
    const seen = cases.filter(({ isSeenByKubectl }) => isSeenByKubectl === true);
    expect(seen.filter(({ from, to }) => kubectlProblemsOf(broken(from, to)).length === 0)).toEqual([]);
    expect(seen.length).toBeGreaterThan(3);
  });
});
