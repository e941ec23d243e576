import type { Ledger } from '../../src/drill/load/ledger.ts';
import { atMost, type Limits, noErrors, none, within } from '../../src/drill/promises.ts';
import type { DrillSample, DrillVerdict } from '../../src/drill/record.ts';
import type { ReadsInSample } from '../../src/drill/sampler.ts';
import type { Holdings } from './holdings.ts';
import type { LookAt } from './record.ts';
import type { Windows } from './windows.ts';

/** What the verdict on a soak is made of. */
export interface SoakFacts {
  readonly limits: Limits;
  readonly windows: Windows;
  readonly shards: readonly string[];
  readonly ledger: Ledger;
  readonly reads: readonly ReadsInSample[];
  readonly breakers: DrillSample['breakers'];
  readonly looks: readonly LookAt[];
  readonly unanswered: number;
  readonly connections: { readonly connected: number; readonly of: number };
  readonly revived: readonly string[];
  /** App connections that were closed while nearcache lived. */
  readonly closed: number;
  readonly deaths: readonly string[];
  readonly exit: number | string;
  /** What was asked for, and those in which other machines had little of this one's CPU. */
  readonly seconds: number;
  readonly ownSeconds: number;
}

const HITS_SHARE = 0.3;
/** A life that went through fewer faults shows nothing of leaks. */
export const FAULTS_TO_JUDGE = 4;
/** Commands of a session run in order: one may have to wait for another before its own time begins. Units: command time-outs. */
const WAITS = 2;
/** Says nothing about nearcache, but how much the others say. */
export const OWN_TIME = 'time that the machine was not taken by others';
/** Of the time asked for. In the rest errors and long waits say nothing about nearcache. */
export const OWN_TIME_SHARE = 0.9;
const MB = 1_000_000;

/** How much more each may be than in the first quiet time of the same life. */
export const MAY_GROW: Readonly<Record<keyof Holdings, number>> = {
  files: 0,
  sockets: 0,
  // Some are there for a moment only: in an hour at rest between faults the count goes up and down by one. What is lost in each fault adds up.
  timers: 2,
  sessions: 0,
  shardConnections: 0,
  shardClients: 0,
  // They are counted just when heartbeats are sent.
  inFlight: 3,
  heldBytes: 0,
  heapBytes: 4 * MB,
  bufferBytes: 12 * MB,
  residentBytes: 60 * MB,
};

/** What became of each promise. */
export function judgeSoak(facts: SoakFacts): DrillVerdict[] {
  const { ledger, windows, connections, unanswered, exit } = facts;
  const hot = ledger.failed.filter(({ kind, isWrite }) => kind === 'hot' && !isWrite);
  const other = Object.entries(facts.breakers).filter(([, state]) => state !== 'closed');
  return [
    none('wrong or cross-wired replies', ledger.wrong),
    none('replies older than promised', ledger.stale),
    none('keys still served that Redis has lost', facts.revived),
    noErrors(
      'errors without a fault, or long after it',
      ledger.failed.filter((failed) => windows.explains(failed) === undefined),
    ),
    noErrors(
      'errors on hot cached keys while nearcache lives',
      hot.filter((failed) => windows.explains(failed) === 'fault'),
    ),
    {
      promise: 'every request is answered',
      passed: unanswered === 0 && ledger.answered > 0,
      measured: `${ledger.answered} answered, ${unanswered} not`,
      allowed: '0 not',
    },
    longestWait(facts),
    {
      promise: OWN_TIME,
      passed: facts.ownSeconds >= OWN_TIME_SHARE * facts.seconds,
      measured: minutes(facts.ownSeconds),
      allowed: `${minutes(OWN_TIME_SHARE * facts.seconds)} or more`,
    },
    hitShare(facts),
    none(
      'breakers not closed at the end',
      other.map((entry) => entry.join(' ')),
    ),
    {
      promise: 'app connections answered at the end',
      passed: connections.connected === connections.of,
      measured: String(connections.connected),
      allowed: `all ${connections.of}`,
    },
    atMost('app connections closed while nearcache lives', facts.closed, 0),
    none('deaths of nearcache by itself', facts.deaths),
    { promise: 'nearcache ends in order', passed: exit === 0, measured: String(exit), allowed: '0' },
    ...leaks(facts.looks),
  ];
}

/** Of those waits that the machine was not the cause of. The ledger's long ones are those over the command time-out. */
export function longestWait({
  ledger,
  windows,
  limits: { commandTimeoutMs },
}: Pick<SoakFacts, 'ledger' | 'windows' | 'limits'>): DrillVerdict {
  const counted = ledger.long.filter((wait) => windows.explains(wait) !== 'machine').map(({ ms }) => ms);
  const longest = Math.max(Math.min(ledger.longestMs, commandTimeoutMs), ...counted);
  return within('longest wait', longest, WAITS * commandTimeoutMs);
}

/** What is held at the end of each life must be what it held before its first fault. */
export function leaks(looks: readonly LookAt[]): DrillVerdict[] {
  const lives = [...Map.groupBy(looks, ({ life }) => life).values()].flatMap((looks) => {
    const [first, last] = [looks[0], looks.at(-1)];
    return first !== undefined && last !== undefined && last.faults >= FAULTS_TO_JUDGE
      ? [{ first: first.held, last: last.held, faults: last.faults }]
      : [];
  });
  const longest = Math.max(0, ...lives.map(({ faults }) => faults));
  return [
    {
      promise: 'faults in the longest life of a nearcache',
      passed: lives.length > 0,
      measured: String(longest),
      allowed: `${FAULTS_TO_JUDGE} or more`,
    },
    ...(Object.keys(MAY_GROW) as (keyof Holdings)[]).map((name): DrillVerdict => {
      const most = MAY_GROW[name];
      const grown = lives.toSorted(
        (a, b) => b.last[name] - b.first[name] - (a.last[name] - a.first[name]),
      )[0];
      const [before, after] = [grown?.first[name] ?? 0, grown?.last[name] ?? 0];
      return {
        promise: `held at the end of a life: ${HELD[name]}`,
        passed: after - before <= most,
        measured: `${amount(name, after)}, before ${amount(name, before)}`,
        allowed: most === 0 ? 'no more than before' : `${amount(name, most)} more`,
      };
    }),
  ];
}

const HELD: Readonly<Record<keyof Holdings, string>> = {
  files: 'open files',
  sockets: 'sockets',
  timers: 'timers',
  sessions: 'sessions',
  shardConnections: 'connections to shards',
  shardClients: 'clients at the shards',
  inFlight: 'commands in flight',
  heldBytes: 'memory of sessions',
  heapBytes: 'heap after a collection',
  bufferBytes: 'buffers after a collection',
  residentBytes: 'resident memory',
};

function minutes(seconds: number): string {
  return `${(seconds / 60).toFixed(1)} min`;
}

function amount(name: keyof Holdings, value: number): string {
  return name.endsWith('Bytes') ? `${(value / MB).toFixed(1)} MB` : String(value);
}

/** A nearcache that lets everything through would break no other promise. */
function hitShare({ reads, windows, shards }: SoakFacts): DrillVerdict {
  const calm = reads.filter(({ from, to }) => windows.isCalm(shards, from, to));
  const asked = calm.reduce((sum, sample) => sum + sample.reads, 0);
  const hits = calm.reduce((sum, sample) => sum + sample.hits, 0);
  return {
    promise: 'near-cache hits, of reads without a fault',
    passed: asked > 0 && hits > HITS_SHARE * asked,
    measured: asked === 0 ? 'no reads' : `${Math.round((100 * hits) / asked)} %`,
    allowed: `over ${HITS_SHARE * 100} %`,
  };
}
