import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IContainer, IPodSpec, IProbe, IService } from 'kubernetes-models/v1';

import { containersOf, deploymentsOf, type Manifest, type ManifestFile, podOf } from './manifests.ts';

// What the API server and the kubelet would say, and a schema cannot: names, uniqueness, and what refers to what.

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** As IANA has service names: 15 characters, one of them a letter, no two hyphens together. */
const PORT_NAME = /^(?!.*--)(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/;

/** All that is wrong with the manifests, one sentence each. */
export function manifestProblems(file: ManifestFile): string[] {
  const ids = file.manifests.map(idOf);
  const known = [...ids, ...file.needs];
  return [
    ...(file.isAmbiguous ? ['a value is one thing in YAML 1.1 and another in 1.2'] : []),
    ...repeated(ids).map((id) => `${id} is there twice`),
    ...file.manifests.flatMap((manifest) =>
      problemsOf(manifest, file, known).map((problem) => `${idOf(manifest)}: ${problem}`),
    ),
  ];
}

function idOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata?.name ?? ''}`;
}

function problemsOf(manifest: Manifest, file: ManifestFile, known: readonly string[]): string[] {
  const problems = DNS_LABEL.test(manifest.metadata?.name ?? '') ? [] : ['its name is no DNS label'];
  if (manifest.kind === 'Service') problems.push(...serviceProblems(manifest, file));
  if (manifest.kind === 'Deployment') problems.push(...deploymentProblems(manifest, known));
  return problems;
}

function serviceProblems({ spec }: IService, file: ManifestFile): string[] {
  const chosen = deploymentsOf(file).filter((deployment) =>
    isSubset(spec?.selector, deployment.spec?.template.metadata?.labels),
  );
  if (chosen.length === 0) return ['its selector chooses no pod of this file'];
  const ports = chosen.flatMap((deployment) => portsOf(podOf(deployment)));
  return (spec?.ports ?? [])
    .filter(
      ({ targetPort }) =>
        !ports.some(({ name, containerPort }) => [name, containerPort].includes(targetPort)),
    )
    .map(({ targetPort }) => `no container has the port ${targetPort}`);
}

function deploymentProblems(deployment: IDeployment, known: readonly string[]): string[] {
  const pod = podOf(deployment);
  const labels = deployment.spec?.template.metadata?.labels;
  return [
    ...(isSubset(deployment.spec?.selector.matchLabels, labels)
      ? []
      : ['its selector does not choose its own pods']),
    ...nameProblems(pod),
    ...volumeProblems(pod, known),
    ...containersOf(pod).flatMap(({ container }) =>
      containerProblems(container).map((problem) => `${container.name}: ${problem}`),
    ),
  ];
}

function nameProblems(pod: IPodSpec): string[] {
  const containers = containersOf(pod).map(({ container }) => container.name);
  const ports = portsOf(pod);
  const names = ports.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const numbers = ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol ?? 'TCP'}`);
  return [
    ...containers
      .filter((name) => !DNS_LABEL.test(name))
      .map((name) => `"${name}" is no name for a container`),
    ...names.filter((name) => !PORT_NAME.test(name)).map((name) => `"${name}" is no name for a port`),
    ...repeated(containers).map((name) => `two containers are called ${name}`),
    ...repeated(names).map((name) => `two ports are called ${name}`),
    ...repeated(numbers).map((number) => `two containers have port ${number}`),
  ];
}

function volumeProblems(pod: IPodSpec, known: readonly string[]): string[] {
  const volumes = pod.volumes ?? [];
  const mounts = containersOf(pod).flatMap(({ container }) => container.volumeMounts ?? []);
  const unused = volumes.filter(({ name }) => !mounts.some((mount) => mount.name === name));
  const missing = mounts.filter((mount) => !volumes.some(({ name }) => name === mount.name));
  const references = volumes.flatMap(({ configMap, secret }) => [
    ...(configMap === undefined ? [] : [`ConfigMap ${configMap.name}`]),
    ...(secret === undefined ? [] : [`Secret ${secret.secretName}`]),
  ]);
  return [
    ...repeated(volumes.map(({ name }) => name)).map((name) => `two volumes are called ${name}`),
    ...unused.map(({ name }) => `nobody mounts the volume ${name}`),
    ...missing.map(({ name }) => `there is no volume ${name} to mount`),
    ...references
      .filter((id) => !known.includes(id))
      .map((id) => `${id} is neither here nor declared as needed`),
  ];
}

function containerProblems(container: IContainer): string[] {
  const { image = '', volumeMounts = [], resources } = container;
  const tag = /:([^/:@]+)$/.exec(image)?.[1];
  const paths = volumeMounts.map(({ mountPath }) => mountPath);
  return [
    ...(tag === undefined || tag === 'latest' ? [`its image "${image}" is not pinned by a tag`] : []),
    ...(resources?.requests?.['cpu'] === undefined
      ? ['it asks for no CPU, which an autoscaler needs to know']
      : []),
    ...repeated(paths).map((path) => `two volumes are mounted at ${path}`),
    // The runtime cannot make the inner one's folder in a volume that is read-only.
    ...paths
      .filter((path) => paths.some((other) => path.startsWith(`${other}/`)))
      .map((path) => `${path} is inside of another mount`),
    ...probesOf(container).flatMap(([name, probe]) => probeProblems(container, name, probe)),
  ];
}

function probeProblems({ ports = [] }: IContainer, name: string, probe: IProbe): string[] {
  const actions = [probe.httpGet, probe.tcpSocket, probe.exec, probe.grpc].filter(
    (action) => action !== undefined,
  );
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
  const isKnown = port === undefined || ports.some((each) => [each.name, each.containerPort].includes(port));
  const numbers = [probe.periodSeconds, probe.timeoutSeconds, probe.failureThreshold];
  return [
    ...(actions.length === 1 ? [] : [`its ${name} must do one thing`]),
    ...(isKnown ? [] : [`its ${name} asks port ${port}, which it does not have`]),
    ...(numbers.every((number) => number === undefined || number >= 1)
      ? []
      : [`its ${name} has a number below 1`]),
  ];
}

/** The probes that a container has, by name. */
export function probesOf(container: IContainer): [string, IProbe][] {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  return Object.entries({ startupProbe, livenessProbe, readinessProbe }).flatMap(([name, probe]) =>
    probe === undefined ? [] : [[name, probe] as [string, IProbe]],
  );
}

function portsOf(pod: IPodSpec): { name?: string; containerPort: number; protocol?: string }[] {
  return containersOf(pod).flatMap(({ container }) => container.ports ?? []);
}

function isSubset(
  some: Readonly<Record<string, string>> = {},
  all: Readonly<Record<string, string>> = {},
): boolean {
  const entries = Object.entries(some);
  return entries.length > 0 && entries.every(([key, value]) => all[key] === value);
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
