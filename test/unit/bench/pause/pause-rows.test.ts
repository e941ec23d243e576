import { expect, test } from 'vitest';

import { packSent, type Sent, unpackSent } from '../../../../bench/pause/pause-plan.ts';
import {
  firstFastFailure,
  judgePause,
  medianOfSeconds,
  type PauseRun,
  recoveredAfter,
  whileOpen,
} from '../../../../bench/pause/pause-rows.ts';
import { pausedTable, pausePlot } from '../../../../bench/report/pause-report.ts';
import { classed, findAll, parseMarkup } from '../../drill/report/markup.ts';

const MB = 1024 * 1024;
const BEGAN = 1_000_000;
const marks = {
  beganAt: BEGAN,
  stoppedAt: BEGAN + 2000,
  openAt: BEGAN + 3000,
  continuedAt: BEGAN + 8000,
};
const LOST_AT = BEGAN + 4000;

/** A request at `second` of the run. */
function request(second: number, of: Partial<Sent> & { readonly ms?: number } = {}): Sent {
  const { ms = 1, ...more } = of;
  const dueAt = BEGAN + second * 1000;
  const doneAt = dueAt + ms;
  return { shard: 1, kind: 'cold', connection: 9, dueAt, sentAt: dueAt, doneAt, outcome: 'right', ...more };
}

/** 2000 requests a second to a shard that is well, and 400 of either kind to the paused one: in its first second they wait until the link is lost, as do
 *  those behind them; later ones are refused at once. */
function requests(): Sent[] {
  return Array.from({ length: 10 * 2000 }, (_, i) => {
    const second = i / 2000;
    const well = request(second, { ms: (i % 100) / 50 });
    if (i % 5 !== 0) return [well];
    const hot = request(second, { shard: 0, kind: 'hot', connection: 1 });
    const paused = { shard: 0, connection: 2 };
    const due = BEGAN + second * 1000;
    if (due < marks.stoppedAt || due >= marks.continuedAt) return [well, hot, request(second, paused)];
    if (due < LOST_AT) {
      const outcome = due < marks.openAt ? 'failed' : 'refused';
      return [well, hot, request(second, { ...paused, ms: LOST_AT - due, outcome })];
    }
    return [well, hot, request(second, { ...paused, ms: 0.2, outcome: 'refused' })];
  }).flat();
}

function runOf(sent: readonly Sent[], more: Partial<PauseRun> = {}): PauseRun {
  const looks = Array.from({ length: 100 }, (_, i) => ({
    at: BEGAN + i * 100,
    residentBytes: (i < 20 ? 100 : 110) * MB,
    breaker: i > 30 && i < 80 ? 2 : 0,
  }));
  return { sent, looks, marks, closed: 0, commandTimeoutMs: 5000, ...more };
}

const good = requests();

function failures(run: PauseRun): string[] {
  return judgePause(run)
    .filter(({ pass }) => !pass)
    .map(({ what }) => what);
}

/** The good run with some of its requests changed. */
function changed(isMeant: (sent: Sent) => boolean, change: (sent: Sent) => Partial<Sent>): PauseRun {
  return runOf(good.map((sent) => (isMeant(sent) ? { ...sent, ...change(sent) } : sent)));
}

const isRefused = ({ outcome, dueAt }: Sent): boolean => outcome === 'refused' && dueAt >= LOST_AT;

test('a pause as promised passes', () => {
  expect(failures(runOf(good))).toEqual([]);
});

test('what waits behind requests of before the breaker opened is not charged to the open breaker', () => {
  const { free, behind } = whileOpen(runOf(good));
  expect(behind).toHaveLength(400);
  expect(free).toHaveLength(1600);
  expect(Math.min(...free.map(({ sentAt }) => sentAt))).toBeGreaterThanOrEqual(LOST_AT);
  expect(whileOpen(runOf(good, { marks: { ...marks, openAt: undefined } }))).toEqual({
    free: [],
    behind: [],
  });
});

test('slow answers of an open breaker fail, and so do none at all', () => {
  const slow = "p99 of the paused shard's answers while its breaker is open, ms";
  let number = 0;
  const some = changed(
    (sent) => isRefused(sent) && number++ % 10 === 0,
    (sent) => ({ doneAt: sent.sentAt + 50 }),
  );
  expect(failures(some)).toContain(slow);
  const never = failures(runOf(good, { marks: { ...marks, openAt: undefined } }));
  expect(never).toContain(slow);
  expect(never).toContain('requests so answered / all to it in the pause');
});

test('other shards that answer more slowly in the pause fail', () => {
  const slower = changed(
    ({ shard, dueAt }) => shard === 1 && dueAt >= marks.stoppedAt,
    (sent) => ({ doneAt: sent.dueAt + (sent.doneAt - sent.dueAt) * 1.3 }),
  );
  expect(failures(slower)).toEqual(["p99 of the other shards' requests, in the pause / before"]);
  expect(medianOfSeconds(slower, 'pause') / medianOfSeconds(slower, 'calm')).toBeCloseTo(1.3, 1);
});

test('a request is charged from when it was due, not from when it was sent', () => {
  const late = changed(
    ({ shard, dueAt }) => shard === 1 && dueAt >= marks.stoppedAt,
    (sent) => ({ sentAt: sent.sentAt + 20, doneAt: sent.doneAt + 20 }),
  );
  expect(failures(late)).toEqual(["p99 of the other shards' requests, in the pause / before"]);
});

test('memory that grows in the pause fails', () => {
  const looks = runOf(good).looks.map((look) =>
    look.at > BEGAN + 5000 && look.at < BEGAN + 5200 ? { ...look, residentBytes: 121 * MB } : look,
  );
  expect(failures(runOf(good, { looks }))).toEqual([
    'resident memory, most in the pause less median before, MB',
  ]);
});

test('the first fast failure counts from the beginning of the pause', () => {
  expect(firstFastFailure(runOf(good))).toBe(2000);
  expect(failures(runOf(good, { commandTimeoutMs: 900 }))).toEqual([
    'time until the first fast failure / --command-timeout',
  ]);
  const slow = changed(
    ({ outcome }) => outcome === 'refused',
    (sent) => ({ doneAt: Math.max(sent.doneAt, sent.sentAt + 6) }),
  );
  expect(firstFastFailure(slow)).toBeUndefined();
});

test('failures long after the pause fail, and so does a shard that is never used again', () => {
  const last = 'last failure after the pause, s';
  const isAfter = ({ shard, kind, dueAt }: Sent): boolean =>
    shard === 0 && kind !== 'hot' && dueAt >= marks.continuedAt;
  const refusedFor = (ms: number): PauseRun =>
    changed(
      (sent) => isAfter(sent) && sent.dueAt <= marks.continuedAt + ms,
      () => ({ outcome: 'refused' }),
    );
  expect(recoveredAfter(runOf(good))).toBe(0);
  expect(recoveredAfter(refusedFor(1000))).toBe(1000);
  expect(recoveredAfter(refusedFor(10_000))).toBeUndefined();
  expect(failures(refusedFor(10_000))).toEqual([last]);
});

test.each([
  ['requests without an answer, and connections closed', { outcome: 'none', doneAt: Number.NaN }, 'cold', 0],
  ['wrong answers', { outcome: 'wrong' }, 'cold', 0],
  ['errors on hot keys', { outcome: 'refused' }, 'hot', 0],
  ['errors on keys of the other shards', { outcome: 'failed' }, 'cold', 1],
] as const)('a single one of these fails: %s', (what, change, kind, shard) => {
  const at = good.findLast(
    (sent) => sent.kind === kind && sent.shard === shard && sent.dueAt < marks.continuedAt,
  );
  expect(
    failures(
      changed(
        (sent) => sent === at,
        () => change,
      ),
    ),
  ).toContain(what);
});

test('a closed connection fails', () => {
  expect(failures(runOf(good, { closed: 1 }))).toEqual([
    'requests without an answer, and connections closed',
  ]);
});

test('requests survive their way from one process to another', () => {
  const sent = [
    request(1, { kind: 'write', outcome: 'failed', sentAt: BEGAN + 1001.25 }),
    request(2, { doneAt: Number.NaN, outcome: 'none', shard: 2 }),
  ];
  expect(unpackSent(JSON.parse(JSON.stringify(sent.flatMap(packSent))) as number[])).toEqual(sent);
});

test('the table and the plot show what became of the paused shard', () => {
  const run = runOf(good);
  expect(pausedTable(run)).toMatch(/the rest, breaker open, from sent +\| +1600 .*\| +0 \| +1600 \| +0 \|/);
  const svg = parseMarkup(pausePlot(run, 'A shard is paused'));
  expect(findAll(svg, classed('event-label')).map(({ text }) => text)).toEqual([
    '1 shard0 is frozen',
    '2 its breaker is open',
    '3 it goes on',
  ]);
});
