import type { Session } from './session.ts';

/** One session as CLIENT LIST shows a client, field by field as Redis 7.0 prints them. Fields that only Redis has (its
 *  buffers, its file descriptors) read as an idle client's.
 *  Source: Redis 7.0.15, networking.c, catClientInfoString. */
export function clientLine(session: Session): string {
  const { subscription, context } = session;
  const now = context.clock.now();
  const fields: [string, string | number][] = [
    ['id', session.id],
    ['addr', session.address],
    ['laddr', session.localAddress],
    ['fd', -1],
    ['name', session.name],
    ['age', Math.floor((now - session.createdAt) / 1000)],
    ['idle', Math.floor((now - session.lastActiveAt) / 1000)],
    ['flags', flagsOf(session)],
    ['db', session.db],
    ['sub', subscription.channels],
    ['psub', subscription.patterns],
    ['ssub', subscription.shardChannels],
    ['multi', -1],
    ['qbuf', 0],
    ['qbuf-free', 0],
    ['argv-mem', 0],
    ['multi-mem', 0],
    ['rbs', 0],
    ['rbp', 0],
    ['obl', 0],
    ['oll', 0],
    ['omem', session.backlog],
    ['tot-mem', session.backlog],
    ['events', 'r'],
    ['cmd', session.lastCommand],
    ['user', session.user.name],
    ['redir', -1],
    ['resp', session.proto],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}

function flagsOf(session: Session): string {
  const flags = `${clientTypeOf(session) === 'pubsub' ? 'P' : ''}${session.pin.isBlocking ? 'b' : ''}${
    session.localAddress.startsWith('unix:') ? 'U' : ''
  }`;
  return flags === '' ? 'N' : flags;
}

/** CLIENT LIST's TYPE. */
export function clientTypeOf({ subscription }: Session): 'normal' | 'pubsub' {
  return subscription.count > 0 ? 'pubsub' : 'normal';
}
