import type { Moment, Operation } from './fake-client.ts';
import type { Snapshot } from './fake-redis.ts';
import { answerRead, keysRead, Line, nameOf, type Reply } from './keyspace.ts';
import { MAX_STALENESS_MS } from './near-side.ts';

/** How far what one reply has shown binds later ones of OTHER keys ('always' for those of the same keys): to states that are
 *  not older, always, which is what one ordered stream shows; only when the reply was there before the next request was
 *  sent; or not at all, as when a session reads over two connections. */
export type Scope = 'always' | 'when answered' | 'same key';

/** What is wrong with what apps were told, in words; undefined when nothing is. Every reply must be what Redis would have said
 *  in ONE of its states (I13: a read of several keys, too), and that state is
 *  - not older than a write that was acknowledged before the request was sent (I1), nor than an earlier one of its own connection
 *    (I1p), nor than what this connection has seen (I3) or any reply that came before the request was sent (I3'),
 *  - at most D older than the request (I2), with no key whose life had ended before it (I5), unless the answer of a read is
 *    shared that was sent in time,
 *  - not from the future: Redis had it when the reply came. */
export function complaint(
  operations: readonly Operation[],
  snapshots: readonly Snapshot[],
  scope: Scope,
): string | undefined {
  const judged: Judged[] = [];
  for (const operation of inOrderOfReplies(operations)) {
    const { reply } = operation;
    if (reply === undefined || (reply instanceof Line && /^(-|\+QUEUED)/.test(reply.text))) continue;
    const shown = statesOf(operation, snapshots);
    if (shown === undefined) continue;
    const least = Math.max(tooLate(operation, snapshots), boundOf(operation, judged, scope));
    const state = shown.find((step) => step >= least);
    if (state === undefined) return describe(operation, shown, least, snapshots);
    judged.push({ operation, state });
  }
  return undefined;
}

interface Judged {
  operation: Operation;
  /** The oldest state that explains the reply. */
  state: number;
}

/** Replies of one connection come in the order of its requests. */
function inOrderOfReplies(operations: readonly Operation[]): Operation[] {
  const done = operations.filter(({ done }) => done !== undefined);
  return done.toSorted((a, b) => (a.done as Moment).event - (b.done as Moment).event);
}

/** The states that explain the reply: of a write those that such a command made since; undefined when it tells nothing about keys. */
function statesOf(operation: Operation, snapshots: readonly Snapshot[]): number[] | undefined {
  const { args, queued, reply, sent, done, db } = operation;
  const steps = [...snapshots.keys()].filter((step) => step <= (done as Moment).step);
  if (keysRead(args) !== undefined) {
    const fits = (step: number): boolean => explains(operation, sent.atMs, snapshots[step] as Snapshot);
    return steps.filter(fits);
  }
  const name = args[0]?.toUpperCase() as string;
  // A transaction that Redis did not carry out.
  if (name === 'EXEC' && (reply === null || queued.every((each) => keysRead(each) !== undefined)))
    return undefined;
  if (!WRITES.has(name)) return undefined;
  const cause = (name === 'EXEC' ? queued : [args]).map((each) => each.join(' ')).join('; ');
  const made = steps.filter((step) => step > sent.step && snapshots[step]?.cause === cause);
  if (name !== 'INCR' && name !== 'EVAL') return made;
  const key = nameOf(db, args[name === 'INCR' ? 1 : 3] as string);
  return made.filter((step) => Number(snapshots[step]?.data.get(key)?.value) === reply);
}

const WRITES = new Set(['SET', 'MSET', 'INCR', 'DEL', 'EVAL', 'FLUSHALL', 'SWAPDB', 'EXEC']);

function explains({ args, db, reply }: Operation, askedAtMs: number, { data }: Snapshot): boolean {
  const isOver = (keysRead(args) as readonly string[]).some(
    (key) => (data.get(nameOf(db, key))?.expiresAt ?? Infinity) < askedAtMs,
  );
  return !isOver && isSame(answerRead(args, db, data, askedAtMs), reply as Reply);
}

function isSame(one: Reply, other: Reply): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The newest state that is more than D older than the request. */
function tooLate({ sent }: Operation, snapshots: readonly Snapshot[]): number {
  return snapshots.findLastIndex(
    ({ atMs, cause }) => atMs < sent.atMs - MAX_STALENESS_MS && !cause.startsWith('end of'),
  );
}

function boundOf(operation: Operation, judged: readonly Judged[], scope: Scope): number {
  let least = 0;
  for (const { operation: earlier, state } of judged) {
    const wasAnswered = (earlier.done as Moment).event < operation.sent.event;
    const isBefore = wasAnswered || earlier.client === operation.client;
    // A read that waits behind unanswered commands may be repeated when a later write of its pipeline has run already: DESIGN
    // rule 3 looks up again, and what it then finds may be newer than that write.
    const isRead = keysRead(operation.args) !== undefined;
    const binds = (scope === 'always' && isRead) || (scope !== 'same key' && wasAnswered);
    if (isBefore && (binds || sharesKey(earlier, operation))) least = Math.max(least, state);
  }
  return least;
}

function sharesKey(one: Operation, other: Operation): boolean {
  const names = namesIn(one);
  return names.includes('*') || namesIn(other).some((name) => name === '*' || names.includes(name));
}

function namesIn({ args, queued }: Operation): string[] {
  const commands = queued.length > 0 ? queued : [args];
  return commands.flatMap((each) => {
    const name = each[0]?.toUpperCase();
    if (name === 'FLUSHALL' || name === 'SWAPDB') return ['*'];
    if (name === 'MSET') return each.filter((_, i) => i % 2 === 1);
    return name === 'EVAL' ? each.slice(3, 4) : (keysRead(each) ?? each.slice(1, 2)).slice();
  });
}

function describe(
  operation: Operation,
  shown: readonly number[],
  least: number,
  snapshots: readonly Snapshot[],
): string {
  const { client, args, reply } = operation;
  const states = snapshots.map(({ cause, atMs }, step) => `  ${step} (${atMs} ms): ${cause}`).join('\n');
  return (
    `${client} was told ${JSON.stringify(reply)} for ${args.join(' ')}, which fits the states [${shown.join(', ')}], ` +
    `but it must not be older than state ${least}\nStates of Redis:\n${states}`
  );
}
