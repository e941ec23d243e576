/** What the sources of invalidations beside the links count. Units: counts since start. */
export class InvalidationStats {
  /** By form; `event` = a keyspace event; `bad` = not understood. */
  messages: Record<'key' | 'list' | 'object' | 'event' | 'bad', number> = {
    key: 0,
    list: 0,
    object: 0,
    event: 0,
    bad: 0,
  };
  /** Numbers of a publisher that were left out. */
  gaps = 0;
  /** Times that everything was dropped, or everything of one publisher, by why. */
  flushes: Record<FlushReason, number> = { subscribed: 0, gap: 0, bad: 0, canary: 0 };
  /** Keyspace events of a canary that did not come. */
  canaryFailures = 0;
}

/** subscribed = what was published before it was not heard; gap = a publisher left out a number; bad = a message was not
 *  understood; canary = keyspace events come again, and did not before. */
export type FlushReason = 'subscribed' | 'gap' | 'bad' | 'canary';
