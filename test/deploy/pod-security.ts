import type { IContainer, IPodSpec } from 'kubernetes-models/v1';

import { containersOf } from './manifests.ts';

/** What Pod Security allows of volumes in a namespace that enforces `restricted`. */
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** Why a namespace that enforces `restricted` would refuse the pod, or what would keep it from its own files.
 *  Source: kubernetes.io/docs/concepts/security/pod-security-standards. */
export function podSecurityProblems(pod: IPodSpec): string[] {
  const shared = [pod.hostNetwork, pod.hostPID, pod.hostIPC].includes(true)
    ? ['it shares something of its host']
    : [];
  const volumes = (pod.volumes ?? []).filter((volume) =>
    Object.keys(volume).some((key) => key !== 'name' && !VOLUMES.includes(key)),
  );
  return [
    ...shared,
    ...volumes.map(({ name }) => `the volume ${name} is of a kind that is not allowed`),
    ...containersOf(pod).flatMap(({ container }) =>
      containerProblems(container).map((problem) => `${container.name}: ${problem}`),
    ),
    ...unreadableSecrets(pod),
  ];
}

/** Each container says it itself: what the pod says is lost when one container is copied to another pod. */
function containerProblems({ securityContext: own = {}, ports = [] }: IContainer): string[] {
  const problems = [];
  if (own.allowPrivilegeEscalation !== false) problems.push('it may gain privileges');
  if (own.privileged === true) problems.push('it is privileged');
  if (own.capabilities?.drop?.includes('ALL') !== true) problems.push('it keeps capabilities');
  if ((own.capabilities?.add ?? []).some((name) => name !== 'NET_BIND_SERVICE'))
    problems.push('it adds capabilities');
  if (own.runAsNonRoot !== true || own.runAsUser === 0) problems.push('it may run as root');
  if (own.seccompProfile?.type !== 'RuntimeDefault') problems.push('it has no seccomp profile');
  if (own.readOnlyRootFilesystem !== true) problems.push('its root filesystem is writable');
  if (ports.some(({ hostPort }) => hostPort !== undefined)) problems.push('it takes a port of its host');
  return problems;
}

/** Files of a Secret belong to root: others read them by the last digit of the mode, or as fsGroup. */
function unreadableSecrets(pod: IPodSpec): string[] {
  const isGrouped = pod.securityContext?.fsGroup !== undefined;
  return (pod.volumes ?? [])
    .filter(
      ({ secret }) => secret !== undefined && !isGrouped && ((secret.defaultMode ?? 0o644) & 0o004) === 0,
    )
    .map(({ name }) => `only root can read the files of ${name}`);
}
