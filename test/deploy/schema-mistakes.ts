/** One change that makes a broken file of k8s/sidecar-example.yaml, and who is to find it.
 *  Shape: `rules` are ours, `types` and `models` those of kubernetes-models; `problem` is a part of what is said. */
export interface ManifestMistake {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly by: 'rules' | 'types' | 'models';
  readonly problem: string;
  readonly isSeenByKubectl?: boolean;
}

export const schemaMistakes: readonly ManifestMistake[] = [
  {
    title: 'a text for a number',
    from: 'replicas: 3',
    to: 'replicas: "3"',
    by: 'types',
    problem: "'string' is not assignable to type 'number'",
    isSeenByKubectl: true,
  },
  {
    title: 'a number for a text',
    from: 'value: ":9379"',
    to: 'value: 9379',
    by: 'types',
    problem: "'number' is not assignable to type 'string'",
    isSeenByKubectl: true,
  },
  {
    title: 'an unknown field of a container',
    from: 'image: nearcache:0.1.0',
    to: 'imagee: nearcache:0.1.0',
    by: 'types',
    problem: `'"imagee"' does not exist`,
    isSeenByKubectl: true,
  },
  {
    title: 'an unknown field of a probe',
    from: 'failureThreshold: 60',
    to: 'failureTreshold: 60',
    by: 'types',
    problem: `'"failureTreshold"' does not exist`,
    isSeenByKubectl: true,
  },
  {
    title: 'an unknown field of the Deployment',
    from: 'replicas: 3',
    to: 'replica: 3',
    by: 'types',
    problem: `'"replica"' does not exist`,
    isSeenByKubectl: true,
  },
  {
    title: 'a field in the wrong place',
    from: '      automountServiceAccountToken: false\n',
    to: '      readOnlyRootFilesystem: true\n',
    by: 'types',
    problem: `'"readOnlyRootFilesystem"' does not exist`,
    isSeenByKubectl: true,
  },
  {
    title: 'a word that is none of an enum',
    from: 'imagePullPolicy: IfNotPresent',
    to: 'imagePullPolicy: Sometimes',
    by: 'types',
    problem: `'"Sometimes"' is not assignable`,
  },
  {
    title: 'a wrong profile',
    from: 'type: RuntimeDefault',
    to: 'type: Default',
    by: 'types',
    problem: `'"Default"' is not assignable`,
  },
  {
    title: 'a missing field',
    from: 'containerPort: 9379\n',
    to: 'hostIP: 127.0.0.1\n',
    by: 'types',
    problem: `'"containerPort"' is missing`,
  },
  {
    title: 'a quantity that is none',
    from: 'memory: 320Mi',
    to: 'memory: 320MB',
    by: 'models',
    problem: 'memory',
  },
  {
    title: 'a kind that is not in that version',
    from: 'apiVersion: apps/v1\nkind: Deployment',
    to: 'apiVersion: apps/v1\nkind: Deploymint',
    by: 'models',
    problem: 'no Deploymint of apps/v1 is known',
  },
];
