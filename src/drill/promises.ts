import { FAST_MS, type FailedRequest, type Ledger } from './load/ledger.ts';
import type { DrillSample, DrillVerdict } from './record.ts';
import { duration } from './report/quantity.ts';
import type { ReadsInSample } from './sampler.ts';

/** Times that promises speak of. Units: ms. */
export interface Limits {
  readonly commandTimeoutMs: number;
  readonly maxStalenessMs: number;
  readonly linkDeadMs: number;
  /** After it is whole, a shard may take so long to be used again. */
  readonly recoveryMs: number;
}

/** What a verdict is made of. Units: ms; moments are of the monotonic clock. */
export interface DrillFacts extends Limits {
  readonly ledger: Ledger;
  readonly samples: readonly DrillSample[];
  readonly reads: readonly ReadsInSample[];
  /** Names of the shards that were hurt. */
  readonly hurt: ReadonlySet<string>;
  /** The first thing that was done to them began, and was done. */
  readonly hurtFrom: number;
  readonly hurtAt: number;
  /** The last thing was undone. */
  readonly healedAt: number;
  /** Requests that had no answer long after the last one was sent. */
  readonly unanswered: number;
  /** Keys of before the data was lost that still had a value at the end. */
  readonly servedOfBefore: number;
}

/** What only some scenarios promise. */
export type PromiseName =
  | 'fast fail'
  | 'recovery'
  | 'recovery by itself'
  | 'breakers closed'
  | 'reads unharmed'
  | 'writes told of OOM'
  | 'no errors'
  | 'nothing of before';

type Judge = (facts: DrillFacts) => DrillVerdict;

const HITS_SHARE = 0.3;

/** What every drill promises. */
const ALWAYS: readonly Judge[] = [
  ({ ledger }) => none('wrong or cross-wired replies', ledger.wrong),
  ({ ledger }) => none('replies older than promised', ledger.stale),
  hitShare,
  ({ unanswered, ledger }) => ({
    promise: 'every request is answered',
    passed: unanswered === 0 && ledger.answered > 0,
    measured: `${ledger.answered} answered, ${unanswered} not`,
    allowed: '0 not',
  }),
  ({ ledger, commandTimeoutMs }) => within('longest wait', ledger.longestMs, 2 * commandTimeoutMs),
  ({ ledger }) => atMost('app connections closed', ledger.closed, 0),
  ({ ledger }) =>
    noErrors(
      'errors on hot cached keys',
      ledger.failed.filter(({ kind }) => kind === 'hot'),
    ),
  ({ ledger, hurt }) =>
    noErrors(
      'errors on keys of the other shards',
      ledger.failed.filter(({ shard }) => !hurt.has(shard)),
    ),
];

const SOME: Readonly<Record<PromiseName, Judge>> = {
  'fast fail': (facts) => {
    const fast = outageErrors(facts).find(({ ms }) => ms <= FAST_MS);
    const allowed = 2 * facts.commandTimeoutMs;
    const promise = `first error within ${FAST_MS} ms`;
    if (fast === undefined) return { promise, passed: false, measured: 'none came', allowed: after(allowed) };
    return { ...within(promise, Math.max(0, fast.at - facts.hurtAt), allowed), allowed: after(allowed) };
  },
  recovery: (facts) => recovered(facts, facts.recoveryMs),
  // Nobody but nearcache itself can find out that its connections lead nowhere.
  'recovery by itself': (facts) => recovered(facts, facts.linkDeadMs + facts.recoveryMs),
  'breakers closed': ({ samples }) => {
    const states = Object.entries(samples.at(-1)?.breakers ?? {});
    const other = states.filter(([, state]) => state !== 'closed').map((entry) => entry.join(' '));
    return {
      promise: 'all breakers closed at the end',
      passed: states.length > 0 && other.length === 0,
      measured: states.length === 0 ? 'unknown' : other.join(', ') || 'closed',
      allowed: 'closed',
    };
  },
  'reads unharmed': ({ ledger }) =>
    noErrors(
      'errors on reads',
      ledger.failed.filter(({ isWrite }) => !isWrite),
    ),
  'writes told of OOM': ({ ledger }) => {
    const writes = ledger.failed.filter(({ isWrite }) => isWrite);
    const unclear = writes.filter(({ text }) => !text.startsWith('OOM ') && !text.includes('was not sent'));
    return {
      ...noErrors('failed writes that were told anything but OOM or "not sent"', unclear),
      passed: unclear.length === 0 && writes.length > 0,
    };
  },
  'no errors': ({ ledger }) => noErrors('errors', ledger.failed),
  'nothing of before': ({ servedOfBefore }) => atMost('keys still served that were lost', servedOfBefore, 0),
};

/** What became of each promise, those of every drill in front. */
export function judge(facts: DrillFacts, promises: readonly PromiseName[]): DrillVerdict[] {
  return [...ALWAYS, ...promises.map((name) => SOME[name])].map((judgeOne) => judgeOne(facts));
}

function outageErrors({ ledger, hurt, hurtFrom }: DrillFacts): FailedRequest[] {
  return ledger.failed.filter(({ at, shard }) => at >= hurtFrom && hurt.has(shard));
}

/** The last error is what an app sees of the end; only requests that succeeded after it show that it was one. */
function recovered(facts: DrillFacts, allowedMs: number): DrillVerdict {
  const { ledger, hurt, healedAt } = facts;
  const last = outageErrors(facts).at(-1)?.at ?? healedAt;
  const isServed = [...hurt].every((shard) => (ledger.succeededAt.get(shard) ?? 0) > last);
  const verdict = within('last error after the shard was whole', Math.max(0, last - healedAt), allowedMs);
  return isServed ? verdict : { ...verdict, passed: false, measured: 'no write succeeded after it' };
}

/** Before and after the fault: a nearcache that lets everything through would break no other promise. */
function hitShare(facts: DrillFacts): DrillVerdict {
  const { hurtFrom, healedAt, recoveryMs } = facts;
  const last = outageErrors(facts).at(-1)?.at ?? healedAt;
  const wholeAt = Math.max(healedAt + Math.min(1000, recoveryMs), last);
  const calm = facts.reads.filter(({ from, to }) => to <= hurtFrom || from >= wholeAt);
  const reads = calm.reduce((sum, sample) => sum + sample.reads, 0);
  const hits = calm.reduce((sum, sample) => sum + sample.hits, 0);
  return {
    promise: 'near-cache hits, of reads without a fault',
    passed: reads > 0 && hits > HITS_SHARE * reads,
    measured: reads === 0 ? 'no reads' : `${Math.round((100 * hits) / reads)} %`,
    allowed: `over ${HITS_SHARE * 100} %`,
  };
}

export function none(promise: string, found: readonly string[]): DrillVerdict {
  const [first] = found;
  const verdict = atMost(promise, found.length, 0);
  return first === undefined ? verdict : { ...verdict, measured: `${found.length}, such as ${first}` };
}

export function noErrors(promise: string, failed: readonly FailedRequest[]): DrillVerdict {
  return none(
    promise,
    failed.map(({ text, ms }) => `${text} (after ${Math.round(ms)} ms)`),
  );
}

export function atMost(promise: string, measured: number, allowed: number): DrillVerdict {
  return { promise, passed: measured <= allowed, measured: String(measured), allowed: String(allowed) };
}

export function within(promise: string, ms: number, allowedMs: number): DrillVerdict {
  return { promise, passed: ms < allowedMs, measured: duration(ms), allowed: `under ${duration(allowedMs)}` };
}

function after(ms: number): string {
  return `under ${duration(ms)} after the fault`;
}
