import { parse } from 'yaml';

/** What we use of the Compose specification, as both docker-compose 1.29 and Docker Compose 2 read it. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly target?: string };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly init?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly restart?: string;
  readonly profiles?: readonly string[];
}

export type ComposeServices = Readonly<Record<string, ComposeService>>;

/** A bind mount. Shape: `host` is relative to the file. */
export interface Mount {
  readonly host: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** The services as they are written; whether they are as typed is for `composeProblems` to say. */
export function readServices(text: string): ComposeServices {
  return (parse(text, { merge: true }) as { services: ComposeServices }).services;
}

export function mountsOf({ volumes = [] }: ComposeService): Mount[] {
  return volumes.map((volume) => {
    const [host = '', target = '', mode] = volume.split(':');
    return { host, target, isReadOnly: mode === 'ro' };
  });
}

/** Who owns the network in which a service runs. */
export function networkOf(name: string, services: ComposeServices): string {
  return services[name]?.network_mode?.replace(/^service:/, '') ?? name;
}
