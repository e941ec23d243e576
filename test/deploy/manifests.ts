import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IConfigMap, IContainer, IPodSpec, IService } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

/** What our files are made of. */
export type Manifest = IConfigMap | IDeployment | IService;

/** A file of manifests. Shape: `needs` is `Kind name`, what must be in the cluster before, as its comments declare. */
export interface ManifestFile {
  readonly manifests: readonly Manifest[];
  readonly needs: readonly string[];
  /** Values that YAML 1.1, which kubectl reads, and YAML 1.2 take for different things, such as 0444 or off. */
  readonly isAmbiguous: boolean;
}

/** A container and where in its pod it is. */
export interface Placed {
  readonly container: IContainer;
  readonly isInit: boolean;
}

export function readManifests(text: string): ManifestFile {
  const read = (version: '1.1' | '1.2'): Manifest[] =>
    parseAllDocuments(text, { version }).map((document) => document.toJS() as Manifest);
  const manifests = read('1.1');
  return {
    manifests,
    needs: [...text.matchAll(/^# Needs: (\S+ \S+)$/gm)].map((match) => match[1] as string),
    isAmbiguous: JSON.stringify(manifests) !== JSON.stringify(read('1.2')),
  };
}

export function deploymentsOf({ manifests }: ManifestFile): IDeployment[] {
  return manifests.filter((manifest) => manifest.kind === 'Deployment');
}

export function podOf(deployment: IDeployment): IPodSpec {
  return deployment.spec?.template.spec ?? { containers: [] };
}

export function containersOf(pod: IPodSpec): Placed[] {
  return [
    ...(pod.initContainers ?? []).map((container) => ({ container, isInit: true })),
    ...pod.containers.map((container) => ({ container, isInit: false })),
  ];
}

/** Where a container finds a path: the volume, and what of it. */
export function mountAt(
  { volumeMounts = [] }: IContainer,
  path: string,
): { volume: string; file: string } | undefined {
  const mount = volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
  return mount && { volume: mount.name, file: path.slice(mount.mountPath.length + 1) };
}

/** Bytes of a quantity of memory. Errors: NaN for what is none. */
export function bytesOf(quantity: string | number | undefined): number {
  const [, digits, unit = ''] = /^(\d+)(Ki|Mi|Gi|k|M|G)?$/.exec(String(quantity)) ?? [];
  const factors: Readonly<Record<string, number>> = {
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    k: 1e3,
    M: 1e6,
    G: 1e9,
  };
  return Number(digits) * (factors[unit] ?? 1);
}
