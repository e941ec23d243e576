/** Where a server listens. Sentinel gives a host name or an IP, as it was configured. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What one sentinel said in one poll.
 *  Units: `askedAt` in ms of the monotonic clock, taken before the questions were sent. */
export interface SentinelAnswer {
  /** The sentinel's own id; two addresses may lead to one sentinel. */
  readonly id: string;
  readonly askedAt: number;
  readonly primary: HostPort;
  /** The configuration's epoch: each failover has a higher one, given by a majority of the sentinels. */
  readonly epoch: number;
  /** This sentinel does not reach the primary, or is about to replace it. */
  readonly isDoubted: boolean;
  /** Those that are up and have their primary's data. */
  readonly replicas: readonly HostPort[];
  /** The other sentinels that this one knows of. */
  readonly others: readonly (HostPort & { readonly id: string })[];
}

type Fields = ReadonlyMap<string, string>;

/** The questions whose replies `readAnswer` takes, to be asked in this order on one connection. SENTINEL MASTER comes twice:
 *  its epoch belongs to the address only if nothing changed between. Its own address does not do: after a promotion it names the
 *  old primary for as long as replicas are being told.
 *  Source: sentinel.c, `sentinelGetCurrentMasterAddress` and `sentinelRefreshInstanceInfo` (Redis 7.0). */
export function questionsAbout(name: string): readonly (readonly string[])[] {
  return [
    ['MYID'],
    ['MASTER', name],
    ['GET-MASTER-ADDR-BY-NAME', name],
    ['REPLICAS', name],
    ['SENTINELS', name],
    ['MASTER', name],
  ];
}

/** Read the replies to `questionsAbout`; undefined when a failover came between them, so that one must ask again.
 *  Errors: throws when the replies are not what Sentinel answers. */
export function readAnswer(replies: readonly unknown[], askedAt: number): SentinelAnswer | undefined {
  const [id, before, address, replicas, others, after] = replies;
  const [host, port] = listOf(address).map(String);
  if (typeof id !== 'string' || host === undefined || !(Number(port) > 0)) {
    throw new Error('it does not answer as a sentinel does');
  }
  const fields = fieldsOf(after);
  const epoch = Number(fields.get('config-epoch'));
  if (!Number.isSafeInteger(epoch)) throw new Error('it gives no config-epoch');
  if (fieldsOf(before).get('config-epoch') !== fields.get('config-epoch')) return undefined;
  const primary = { host, port: Number(port) };
  return {
    id,
    askedAt,
    primary,
    epoch,
    // Until the switch is done the flags are still those of the old primary.
    isDoubted:
      isSame(addressOf(fields), primary) && hasFlag(fields, 's_down', 'o_down', 'failover_in_progress'),
    replicas: listOf(replicas)
      .map(fieldsOf)
      .filter(isUsable)
      .map(addressOf)
      .filter((replica) => !isSame(replica, primary)),
    others: listOf(others)
      .map(fieldsOf)
      .map((other) => ({ ...addressOf(other), id: other.get('runid') ?? '' })),
  };
}

export function isSame(a: HostPort, b: HostPort): boolean {
  return a.host === b.host && a.port === b.port;
}

function isUsable(replica: Fields): boolean {
  return (
    !hasFlag(replica, 's_down', 'o_down', 'disconnected') &&
    replica.get('master-link-status') === 'ok' &&
    replica.get('replica-announced') !== '0'
  );
}

function hasFlag(fields: Fields, ...flags: readonly string[]): boolean {
  const set = fields.get('flags')?.split(',') ?? [];
  return flags.some((flag) => set.includes(flag));
}

function addressOf(fields: Fields): HostPort {
  return { host: fields.get('ip') ?? '', port: Number(fields.get('port')) };
}

function fieldsOf(reply: unknown): Fields {
  const flat = listOf(reply).map(String);
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : [])));
}

function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}
