import { choice, count, duration, type OptionRows, percent, size, text } from './option.ts';
import { GB, HOUR, MB, MINUTE } from './units.ts';

type BreakerKey = Extract<keyof OptionRows, `breaker${string}`>;
type OutageKey =
  | 'whenAway'
  | 'retryReads'
  | 'retryBudgetPercent'
  | 'hedgeReads'
  | 'queueTimeoutMs'
  | 'recoveryRampMs'
  | 'recoveryRate';
type SheddingKey =
  | 'adaptiveLimit'
  | 'rateLimit'
  | 'clientsMemoryBytes'
  | 'clientIdleTimeoutMs'
  | 'requestTimeoutMs'
  | 'slowClientTimeoutMs'
  | 'slowClientRateBytes';
type LifecycleKey =
  | 'startup'
  | 'drainMs'
  | 'drainServeMs'
  | 'hotKeysFile'
  | 'hotKeysMax'
  | 'preloadRate'
  | 'loopLagWarnMs'
  | 'watchdogMs';

/** When a shard is taken to be away. */
export const breaker: Pick<OptionRows, BreakerKey> = {
  breaker: choice({
    flag: 'breaker',
    initial: 'on',
    words: ['on', 'off'],
    help: 'A circuit breaker for each shard: while it is open commands are answered at once',
  }),
  breakerErrorPercent: percent({
    flag: 'breaker-error-rate',
    initial: 50,
    min: 1,
    max: 100,
    help: 'It opens when so many of the commands of the window failed',
  }),
  breakerSlowMs: duration({
    flag: 'breaker-slow-call',
    initial: '4s',
    min: 10,
    max: HOUR,
    help: 'A command that takes longer is slow, and so is a link that is silent for longer; the default lets a pause of 3 s for a failover pass',
  }),
  breakerSlowPercent: percent({
    flag: 'breaker-slow-rate',
    initial: 80,
    min: 1,
    max: 100,
    help: 'It opens when so many of the commands of the window were slow',
  }),
  breakerWindowMs: duration({
    flag: 'breaker-window',
    initial: '10s',
    min: 100,
    max: 10 * MINUTE,
    help: 'Time over which commands are counted',
  }),
  breakerVolume: count({
    flag: 'breaker-volume',
    initial: 20,
    min: 1,
    max: 1_000_000,
    help: 'Fewer commands than this in the window do not open it',
  }),
  breakerOpenMs: duration({
    flag: 'breaker-open-time',
    initial: '1s',
    min: 10,
    max: 10 * MINUTE,
    help: 'How long it stays open before a probe is sent',
  }),
  breakerProbes: count({
    flag: 'breaker-probes',
    initial: 3,
    min: 1,
    max: 1000,
    help: 'Probes, one at a time, that must succeed before it closes',
  }),
};

/** What commands get while a shard is away or comes back. */
export const outage: Pick<OptionRows, OutageKey> = {
  whenAway: choice({
    flag: 'when-away',
    initial: 'error',
    words: ['error', 'miss'],
    help: 'What a cacheable read gets while its shard is away and nothing stale may be served: an error, or the reply for a key that does not exist',
  }),
  retryReads: choice({
    flag: 'retry-reads',
    initial: 'on',
    words: ['on', 'off'],
    help: 'Send a read once more whose connection died before its reply; writes never are',
  }),
  retryBudgetPercent: percent({
    flag: 'retry-budget',
    initial: 10,
    min: 0,
    max: 100,
    help: 'Reads that may be sent once more, of all commands',
  }),
  hedgeReads: choice({
    flag: 'hedge-reads',
    initial: 'off',
    words: ['on', 'off'],
    help: 'Ask a replica too when the primary takes longer for a read than it does for 95 of 100; its answer may be older',
  }),
  queueTimeoutMs: duration({
    flag: 'queue-timeout',
    initial: '1s',
    min: 10,
    max: HOUR,
    help: 'How long a command may wait to be sent while Redis takes no more, or recovers',
  }),
  recoveryRampMs: duration({
    flag: 'recovery-ramp',
    initial: '5s',
    min: 0,
    max: 10 * MINUTE,
    help: 'For so long after an outage, reads that the near-cache has lost are sent at a limited rate; 0 = at once',
  }),
  recoveryRate: count({
    flag: 'recovery-rate',
    initial: 1000,
    min: 1,
    max: 10_000_000,
    help: 'Such reads per second and shard in the first second; twice as many in each second after it',
  }),
};

/** What is refused, and who is closed, so that the others are served. */
export const shedding: Pick<OptionRows, SheddingKey> = {
  adaptiveLimit: choice({
    flag: 'adaptive-limit',
    initial: 'off',
    words: ['on', 'off'],
    help: 'Lower the commands in flight to a shard while its replies get slower; --shard-in-flight stays the upper bound',
  }),
  rateLimit: count({
    flag: 'rate-limit',
    initial: 0,
    min: 0,
    max: 100_000_000,
    help: 'Commands per second on keys of a policy; more are refused; 0 = no limit',
  }),
  clientsMemoryBytes: size({
    flag: 'max-clients-memory',
    initial: '512mb',
    min: 0,
    max: 64 * GB,
    help: 'Memory that requests and replies of all sessions together may take; over it the sessions with most are closed; 0 = no limit',
  }),
  clientIdleTimeoutMs: duration({
    flag: 'client-idle-timeout',
    initial: '0',
    min: 0,
    max: 24 * HOUR,
    help: 'Sessions that asked nothing for so long are closed; 0 = never (as `timeout` of Redis)',
  }),
  requestTimeoutMs: duration({
    flag: 'request-timeout',
    initial: '60s',
    min: 0,
    max: HOUR,
    help: 'Sessions that sent a part of a request and nothing more for so long are closed; 0 = never',
  }),
  slowClientTimeoutMs: duration({
    flag: 'slow-client-timeout',
    initial: '60s',
    min: 0,
    max: HOUR,
    help: 'Sessions that leave replies unread, and read too little of them in so long, are closed; 0 = never',
  }),
  slowClientRateBytes: size({
    flag: 'slow-client-rate',
    initial: '1kb',
    min: 1,
    max: 1024 * MB,
    help: 'What such a session has to read, a second, on average over --slow-client-timeout',
  }),
};

/** How it starts and ends. */
export const lifecycle: Pick<OptionRows, LifecycleKey> = {
  startup: choice({
    flag: 'startup',
    initial: 'wait',
    words: ['wait', 'listen', 'loading'],
    help: 'Before Redis has first answered: wait = listen a little later, at most --connect-timeout; listen = commands wait or fail as usual; loading = commands are answered -LOADING',
  }),
  drainMs: duration({
    flag: 'drain-timeout',
    initial: '25s',
    min: 0,
    max: HOUR,
    help: 'How long after SIGTERM the last session is closed, whatever it does',
  }),
  drainServeMs: duration({
    flag: 'drain-serve',
    initial: '5s',
    min: 0,
    max: HOUR,
    help: 'How long after SIGTERM apps are served as before, new connections too, while any is connected; then each is closed between two replies. SIGINT, or a second SIGTERM, ends that at once',
  }),
  hotKeysFile: text({
    flag: 'hot-keys-file',
    help: 'File to which the names (no values) of the keys most hit are written at the end, and from which they are read into the near-cache at the start',
  }),
  hotKeysMax: count({
    flag: 'hot-keys-max',
    initial: 1000,
    min: 1,
    max: 1_000_000,
    help: 'Names in that file',
  }),
  preloadRate: count({
    flag: 'preload-rate',
    initial: 500,
    min: 1,
    max: 1_000_000,
    help: 'Keys of that file read per second at the start',
  }),
  loopLagWarnMs: duration({
    flag: 'loop-lag-warning',
    initial: '200ms',
    min: 10,
    max: MINUTE,
    help: 'An event loop that was held up for longer is logged',
  }),
  watchdogMs: duration({
    flag: 'watchdog',
    initial: '0',
    min: 0,
    max: HOUR,
    help: 'An event loop that is held up for so long ends the process, so that its supervisor starts it anew; 0 = never',
  }),
};
