import type { CommandSpec } from '../command/spec.ts';
import type { Request } from '../protocol/request.ts';
import { mustAuthenticate } from './authentication.ts';
import { answerCluster } from './cluster-command.ts';
import type { Session } from './session.ts';

/** How nearcache shows itself to clients that want a Redis Cluster. */
export interface ClusterEmulation {
  /** 40 hex digits. */
  readonly nodeId: string;
  /** Where clients reach it; undefined = where this one has. */
  readonly announce: { readonly host: string; readonly port: number } | undefined;
}

const COMMANDS: ReadonlySet<string> = new Set(['asking', 'readonly', 'readwrite', 'cluster']);

/** Answer what a cluster-aware client asks about the Cluster: one node that has all slots. True when it was answered. */
export function emulateCluster(session: Session, request: Request, spec: CommandSpec | undefined): boolean {
  const emulation = session.context.options.clusterEmulation;
  if (emulation === undefined || spec === undefined || session.pin.sticky.isActive) return false;
  if (mustAuthenticate(session)) return false;
  if (!COMMANDS.has(spec.name) && !spec.name.startsWith('cluster|')) return false;
  const { host, port } = emulation.announce ?? addressUsed(session);
  const reply = answerCluster(request, { host, port, nodeId: emulation.nodeId }, session.proto);
  if (reply !== undefined) session.answer(reply);
  return reply !== undefined;
}

function addressUsed({ localAddress }: Session): { host: string; port: number } {
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(localAddress);
  return { host: match?.[1] ?? '', port: Number(match?.[2] ?? 0) };
}
