import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IContainer, IPodSpec, IProbe } from 'kubernetes-models/v1';

import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { bytesOf, deploymentsOf, type ManifestFile, mountAt, podOf } from './manifests.ts';

const MIB = 2 ** 20;
/** What a process takes besides its cache and its clients: Node itself, its heap and buffers. `sidecar-run.test.ts` measures. */
const PROCESS_BYTES = 224 * MIB;
/** Of these, what is outside of the heap. */
const NATIVE_BYTES = 48 * MIB;
/** Of each half of the young heap. By itself Node lets it grow until it takes 100 MiB more. */
const YOUNG_MIB = 8;
/** A shorter outage of the event loop must not cost the app its connections and its cache. */
const PATIENCE_SECONDS = 60;
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** What is wrong with nearcache in the pods of a file, one sentence each. */
export function sidecarProblems(file: ManifestFile): string[] {
  return deploymentsOf(file).flatMap((deployment) => {
    const pod = podOf(deployment);
    const [first] = pod.initContainers ?? [];
    if (first?.name !== 'nearcache') return ['nearcache is not the first of the init containers'];
    const loaded = loadSidecar(file, pod, first);
    const inside = 'problems' in loaded ? loaded.problems : configProblems(loaded.config, deployment, first);
    return [...lifeProblems(first), ...inside].map((problem) => `nearcache: ${problem}`);
  });
}

/** The configuration that nearcache has in a pod. Shape: as `loadConfig` gives it; `readFile` as it is handed to that. */
export function loadSidecar(
  file: ManifestFile,
  pod: IPodSpec,
  container: IContainer,
): ReturnType<typeof loadConfig> {
  return loadConfig([], environmentOf(container), (path) => fileIn(file, pod, container, path));
}

export function environmentOf({ env = [] }: IContainer): Record<string, string> {
  return Object.fromEntries(env.map(({ name, value }) => [name, value ?? '']));
}

/** The text that a container finds at a path. A Secret of the cluster stands for any text.
 *  Errors: throws where nothing is mounted. */
export function fileIn(file: ManifestFile, pod: IPodSpec, container: IContainer, path: string): string {
  const place = mountAt(container, path);
  const volume = pod.volumes?.find(({ name }) => name === place?.volume);
  if (volume?.secret !== undefined) return 'secret';
  const map = file.manifests.find(
    (manifest) => manifest.kind === 'ConfigMap' && manifest.metadata?.name === volume?.configMap?.name,
  );
  const text = map?.kind === 'ConfigMap' ? map.data?.[place?.file ?? ''] : undefined;
  if (text === undefined) throw new Error('nothing is mounted there');
  return text;
}

function lifeProblems(container: IContainer): string[] {
  const problems = [];
  const { startupProbe, livenessProbe, readinessProbe, lifecycle, restartPolicy } = container;
  if (restartPolicy !== 'Always') problems.push('without restartPolicy: Always the pod waits for it to end');
  if (startupProbe?.httpGet?.path !== '/startupz') problems.push('the app may start before it listens');
  if (livenessProbe?.httpGet?.path !== '/livez') problems.push('its liveness must not depend on Redis');
  if (patienceOf(livenessProbe) < PATIENCE_SECONDS) problems.push('it is restarted for a short pause');
  if (readinessProbe !== undefined) problems.push('a readiness probe takes the pod out of its Service');
  if (lifecycle !== undefined) problems.push('a hook of a sidecar runs while the app still needs it');
  return problems;
}

function patienceOf(probe: IProbe | undefined): number {
  return (probe?.periodSeconds ?? 10) * (probe?.failureThreshold ?? 3);
}

function configProblems(config: Config, deployment: IDeployment, container: IContainer): string[] {
  const { admin, listen, drainMs } = config;
  const problems = memoryProblems(config, container);
  const grace = podOf(deployment).terminationGracePeriodSeconds ?? 30;
  const hosts = listen.flatMap((address) => (address.kind === 'unix' ? [] : [address.host]));
  if (admin?.host !== '::') problems.push('the kubelet cannot reach its probes');
  if (!(container.ports ?? []).some(({ containerPort }) => containerPort === admin?.port)) {
    problems.push(`its admin port ${admin?.port} is not among its ports`);
  }
  if (hosts.some((host) => !LOOPBACK.includes(host))) problems.push('other pods can use its password');
  if (drainMs + 5_000 > grace * 1000) problems.push('it may be killed before its drain time-out');
  return problems;
}

function memoryProblems(config: Config, container: IContainer): string[] {
  const problems = [];
  const { requests, limits } = container.resources ?? {};
  const limit = bytesOf(limits?.['memory']);
  const used = config.cacheBytes + config.clientsMemoryBytes;
  const heap =
    Number(/--max-old-space-size=(\d+)/.exec(environmentOf(container)['NODE_OPTIONS'] ?? '')?.[1]) * MIB;
  if (requests?.['memory'] !== limits?.['memory'])
    problems.push('memory that was not asked for may not be there');
  if (!(limit >= used + PROCESS_BYTES))
    problems.push('its memory limit is too small for its cache and its clients');
  if (config.clientsMemoryBytes === 0) problems.push('the memory of its clients has no limit');
  if (!(heap <= limit - used - NATIVE_BYTES)) problems.push('its heap may grow over its memory limit');
  if (!(nodeOption(container, 'max-semi-space-size') <= YOUNG_MIB))
    problems.push('its garbage may grow over its memory limit');
  return problems;
}

/** Errors: NaN where it is not set. */
function nodeOption(container: IContainer, name: string): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(environmentOf(container)['NODE_OPTIONS'] ?? '')?.[1]);
}
