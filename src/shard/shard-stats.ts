/** What Redis's side counts for one shard; plain numbers that the data path adds to and `metrics/` only reads.
 *  Units: counts since start, except those marked "now". */
export class ShardStats {
  /** Now: 1 while the sidecar's own shared connection is usable. */
  up = 0;
  /** Now: commands sent or held on shared connections and not yet answered. */
  inFlight = 0;
  /** Now: open connections to Redis by kind. */
  sharedConnections = 0;
  controlConnections = 0;
  pinnedConnections = 0;
  subscriberConnections = 0;
  /** Now: pinned connections that no session holds. */
  pinnedIdle = 0;
  /** Now: channels and patterns that Redis sends messages of. */
  subscriptions = 0;
  /** Messages from Redis, and what became of them: one to each session that hears it. */
  messagesIn = 0;
  messagesOut = 0;
  connects = 0;
  connectFailures = 0;
  /** Usable connections that were lost. */
  losses = 0;
  commands = 0;
  timeouts = 0;
  /** Commands answered with an error because their connection died or never came up. */
  failed = 0;
  pinnedOpened = 0;
  pinnedReused = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Answered heartbeats, and the sum of their round trips in seconds. */
  heartbeats = 0;
  heartbeatSeconds = 0;
}
