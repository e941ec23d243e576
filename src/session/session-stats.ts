/** What the app's side counts; plain numbers that the data path adds to and `metrics/` only reads.
 *  Units: all are counts since start, except `open` and `heldBytes` (now). */
export class SessionStats {
  open = 0;
  accepted = 0;
  /** Refused at accept: the client limit was reached. */
  refused = 0;
  commands = 0;
  /** Answered here without asking Redis and without the near-cache (PING, HELLO, CLIENT …). */
  local = 0;
  protocolErrors = 0;
  /** Replies that nearcache wrote itself as `-ERR nearcache: …`. */
  ownErrors = 0;
  /** Whole MULTI … EXEC blocks that rode the shared connection. */
  sharedTransactions = 0;
  /** Requests over `bigValueBytes`, streamed over a pinned connection. */
  streamedRequests = 0;
  /** Sessions closed by nearcache, by reason. */
  closedBy: Record<SessionCloseReason, number> = {
    client: 0,
    quit: 0,
    killed: 0,
    protocol: 0,
    output: 0,
    upstream: 0,
    drain: 0,
    idle: 0,
    request: 0,
    slow: 0,
    memory: 0,
    socket: 0,
  };
  bytesIn = 0;
  bytesOut = 0;
  /** What requests and replies of all sessions take now. Units: bytes. */
  heldBytes = 0;
  /** Commands refused by the rate limit of a policy, by its name. */
  readonly rateLimited: Record<string, number> = {};
}

/** Why a session ended. client = the app closed; quit = QUIT; killed = CLIENT KILL; protocol = a broken stream;
 *  output = more replies wait for it than one session may leave; upstream = its pinned connection was lost; drain = nearcache
 *  is stopping; idle = asked nothing for too long; request = did not send the rest of a request; slow = does not read its
 *  replies; memory = held the most when all sessions together held too much; socket = a socket error. */
export type SessionCloseReason =
  | 'client'
  | 'quit'
  | 'killed'
  | 'protocol'
  | 'output'
  | 'upstream'
  | 'drain'
  | 'idle'
  | 'request'
  | 'slow'
  | 'memory'
  | 'socket';
