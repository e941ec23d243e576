import type { SessionStats } from '../session/session-stats.ts';
import { type Facts, facts, type MetricRow, type Sample } from './row.ts';

/** What the sessions count. */
export const SESSION_ROWS: readonly MetricRow[] = [
  session({ name: 'nearcache_sessions', help: 'Sessions open now.' }, (stats) => stats.open),
  session(
    { name: 'nearcache_sessions_accepted_total', help: 'Sessions accepted.' },
    (stats) => stats.accepted,
  ),
  session(
    { name: 'nearcache_sessions_refused_total', help: 'Connections refused because of --max-clients.' },
    (stats) => stats.refused,
  ),
  sessionBy(
    'reason',
    { name: 'nearcache_sessions_closed_total', help: 'Sessions that ended, by why.' },
    (stats) => stats.closedBy,
  ),
  session(
    {
      name: 'nearcache_sessions_held_bytes',
      help: 'Memory that requests and replies of all sessions take; --max-clients-memory bounds it.',
      unit: 'bytes',
    },
    (stats) => stats.heldBytes,
  ),
  sessionBy(
    'policy',
    { name: 'nearcache_rate_limited_total', help: 'Commands refused by the rate limit of a policy.' },
    (stats) => stats.rateLimited,
  ),
  session(
    { name: 'nearcache_commands_total', help: 'Commands received from apps.' },
    (stats) => stats.commands,
  ),
  session(
    {
      name: 'nearcache_commands_local_total',
      help: 'Commands answered without Redis and without the near-cache (PING, HELLO, CLIENT, …).',
    },
    (stats) => stats.local,
  ),
  session(
    { name: 'nearcache_protocol_errors_total', help: 'Sessions that sent something that is not RESP.' },
    (stats) => stats.protocolErrors,
  ),
  session(
    { name: 'nearcache_error_replies_total', help: 'Error replies of nearcache itself; see docs/errors.md.' },
    (stats) => stats.ownErrors,
  ),
  session(
    {
      name: 'nearcache_shared_transactions_total',
      help: 'MULTI … EXEC blocks that arrived whole and used the shared connection.',
    },
    (stats) => stats.sharedTransactions,
  ),
  session(
    {
      name: 'nearcache_streamed_requests_total',
      help: 'Requests over --big-value-size, streamed over a pinned connection.',
    },
    (stats) => stats.streamedRequests,
  ),
  session(
    {
      name: 'nearcache_session_received_bytes_total',
      help: 'Bytes received from apps.',
      unit: 'bytes',
    },
    (stats) => stats.bytesIn,
  ),
  session(
    { name: 'nearcache_session_sent_bytes_total', help: 'Bytes sent to apps.', unit: 'bytes' },
    (stats) => stats.bytesOut,
  ),
];

function session(given: Facts, read: (stats: SessionStats) => number): MetricRow {
  return { ...facts(given), read: ({ sessions }) => [{ labels: {}, value: read(sessions) }] };
}

function sessionBy(
  label: string,
  given: Facts,
  read: (stats: SessionStats) => Readonly<Record<string, number>>,
): MetricRow {
  return { ...facts(given), labels: [label], read: ({ sessions }) => by(label, read(sessions)) };
}

/** One sample a word. */
function by(label: string, counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([word, value]) => ({ labels: { [label]: word }, value }));
}
