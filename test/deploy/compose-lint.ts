import { type ComposeService, type ComposeServices, mountsOf } from './compose-file.ts';

/** What is outside of the file. */
export interface Surroundings {
  /** Shape: a path relative to the file. */
  exists(path: string): boolean;
  /** The stages of the Dockerfile. */
  readonly stages: readonly string[];
}

type Is = (value: unknown) => boolean;

const isText: Is = (value) => typeof value === 'string';
const isSwitch: Is = (value) => typeof value === 'boolean';
const isTime: Is = (value) => typeof value === 'string' && /^\d+(ms|s|m)$/.test(value);
const isList: Is = (value) => Array.isArray(value) && value.every(isText);
const isMap = (of: Is): Is => {
  return (value) => typeof value === 'object' && value !== null && Object.values(value).every(of);
};
const isShape = (shape: Readonly<Record<string, Is>>): Is => {
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(([key, part]) => shape[key]?.(part) === true);
};

const CONDITIONS = ['service_started', 'service_healthy', 'service_completed_successfully'];

/** Every key that we use, and what it may hold. The list is closed: a key is added here once 1.29 is known to read it. */
const KEYS: Readonly<Record<string, Is>> = {
  image: isText,
  build: isShape({ context: isText, target: isText }),
  entrypoint: isList,
  command: isList,
  environment: isMap(isText),
  healthcheck: isShape({
    test: (value) => isList(value) && /^CMD(-SHELL)?$/.test((value as string[])[0] ?? ''),
    interval: isTime,
    timeout: isTime,
    retries: (value) => Number.isInteger(value) && (value as number) > 0,
  }),
  depends_on: isMap(isShape({ condition: (value) => CONDITIONS.includes(value as string) })),
  network_mode: isText,
  ports: isList,
  volumes: isList,
  tmpfs: isList,
  user: isText,
  read_only: isSwitch,
  init: isSwitch,
  cap_drop: isList,
  security_opt: isList,
  stop_grace_period: isTime,
  restart: (value) => ['no', 'always', 'on-failure', 'unless-stopped'].includes(value as string),
  profiles: isList,
};

/** All that is wrong with the services, one sentence each. What the engine would say, and what it would not. */
export function composeProblems(services: ComposeServices, around: Surroundings): string[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const shape = shapeProblems(service);
    // The rules below read what these found to be of another type.
    const problems = shape.length > 0 ? shape : serviceProblems(service, services, around);
    return problems.map((problem) => `${name}: ${problem}`);
  });
}

function shapeProblems(service: ComposeService): string[] {
  return Object.entries(service).flatMap(([key, value]) => {
    if (KEYS[key] === undefined) return [`there is no key ${key}`];
    return KEYS[key](value) ? [] : [`${key} cannot be ${JSON.stringify(value)}`];
  });
}

function serviceProblems(service: ComposeService, services: ComposeServices, around: Surroundings): string[] {
  return [
    ...imageProblems(service, around),
    ...dependencyProblems(service, services),
    ...networkProblems(service, services),
    ...mountProblems(service, around),
    ...hardeningProblems(service),
    ...interpolationProblems(service),
  ];
}

function imageProblems({ image = '', build }: ComposeService, { stages }: Surroundings): string[] {
  const problems = [];
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  if (tag === undefined || tag === 'latest') problems.push(`the image "${image}" is not pinned by a tag`);
  if (build?.target !== undefined && !stages.includes(build.target)) {
    problems.push(`the Dockerfile has no stage ${build.target}`);
  }
  return problems;
}

function dependencyProblems({ depends_on = {} }: ComposeService, services: ComposeServices): string[] {
  return Object.entries(depends_on).flatMap(([name, { condition }]) => {
    const other = services[name];
    if (other === undefined) return [`depends on ${name}, which is not there`];
    if (other.profiles !== undefined) return [`depends on ${name}, which only a profile starts`];
    const isAsked = condition === 'service_healthy' && other.healthcheck === undefined;
    return isAsked ? [`waits for ${name} to be healthy, which has no health check`] : [];
  });
}

function networkProblems(service: ComposeService, services: ComposeServices): string[] {
  const problems = [];
  const { network_mode: mode, ports = [] } = service;
  const owner = mode?.replace(/^service:/, '');
  if (owner !== undefined) {
    const other = services[owner];
    if (other === undefined) problems.push(`shares the network of ${owner}, which is not there`);
    else if (other.network_mode !== undefined) problems.push(`${owner} does not own its network`);
    if (service.depends_on?.[owner] === undefined)
      problems.push(`may start before ${owner}, whose network it shares`);
    if (ports.length > 0) problems.push('publishes ports of a network that it does not own');
  }
  for (const port of ports) {
    const [, outside, inside] = /^127\.0\.0\.1:(\d+):(\d+)$/.exec(port) ?? [];
    if (!isPort(outside) || !isPort(inside))
      problems.push(`"${port}" is not a port of this machine's loopback`);
  }
  return problems;
}

function isPort(digits: string | undefined): boolean {
  return digits !== undefined && Number(digits) >= 1 && Number(digits) <= 65_535;
}

function mountProblems(service: ComposeService, around: Surroundings): string[] {
  return mountsOf(service).flatMap(({ host, target, isReadOnly }) => [
    ...(around.exists(host) ? [] : [`mounts ${host}, which is not there`]),
    ...(target.startsWith('/') ? [] : [`${host} is mounted at "${target}", which is no absolute path`]),
    ...(isReadOnly ? [] : [`${host} is mounted writable`]),
  ]);
}

function hardeningProblems(service: ComposeService): string[] {
  const problems = [];
  if (service.read_only !== true) problems.push('its root filesystem is writable');
  if (service.cap_drop?.includes('ALL') !== true) problems.push('it keeps capabilities');
  if (service.security_opt?.includes('no-new-privileges:true') !== true)
    problems.push('it may gain privileges');
  if (!/^[1-9]\d*:[1-9]\d*$/.test(service.user ?? '')) problems.push('it may run as root');
  if (service.stop_grace_period === undefined) problems.push('nothing says how long it may take to stop');
  return problems;
}

/** A single `$` is a variable of the machine where the file is read. */
function interpolationProblems(service: ComposeService): string[] {
  const single = /(?<!\$)(?:\$\$)*\$(?!\$)/;
  return single.test(JSON.stringify(service)) ? ['a $ is not doubled'] : [];
}
