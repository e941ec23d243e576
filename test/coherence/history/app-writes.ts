import type { Random } from '../../fuzz/random.ts';
import type { Outcome } from './client.ts';
import type { Operation, Via } from './history.ts';
import { type CounterHash, type Keyspace, pickHot, type Register } from './keyspace.ts';
import type { Step, StepKind } from './request.ts';
import { operationOf, type Stage } from './stage.ts';

/** Scripts that count: one says which key, one does not. */
export const INCR_DECLARED = "return redis.call('INCR', KEYS[1])";
export const INCR_UNDECLARED = "return redis.call('INCR', ARGV[1])";

/** Writes of counters, which Redis itself orders: the same for apps and, directly, for other programs. */
export function countingWrites(via: Via): readonly StepKind[] {
  const kind = (
    weight: number,
    make: (stage: Stage, random: Random, db: number, via: Via) => Step,
    fits: StepKind['fits'] = hasCounters,
  ): StepKind => ({ weight, fits, make: (stage, random, db) => make(stage, random, db, via) });
  return [
    kind(6, increment),
    kind(1, byScript, hasScripts),
    kind(1, byScriptUndeclared, ({ hasUndeclared }) => hasUndeclared),
    kind(1, severalAtOnce),
    kind(2, incrementField),
  ];
}

function hasCounters({ counters }: Keyspace): boolean {
  return counters.length > 0;
}

function hasScripts(keyspace: Keyspace): boolean {
  return keyspace.hasScripts;
}

function counter({ keyspace }: Stage, random: Random, db: number): Register {
  return pickHot(random, keyspace.countersOf(db));
}

function increment(stage: Stage, random: Random, db: number, via: Via): Step {
  const register = counter(stage, random, db);
  return counting(stage, register, ['INCR', register.key], via);
}

function byScript(stage: Stage, random: Random, db: number, via: Via): Step {
  const register = counter(stage, random, db);
  return counting(stage, register, ['EVAL', INCR_DECLARED, '1', register.key], via);
}

function byScriptUndeclared(stage: Stage, random: Random, db: number, via: Via): Step {
  const register = counter(stage, random, db);
  return counting(stage, register, ['EVAL', INCR_UNDECLARED, '0', register.key], via);
}

function incrementField(stage: Stage, random: Random, db: number, via: Via): Step {
  const hash = stage.keyspace.hashes.find((each) => each.db === db) as CounterHash;
  const register = random.pick(hash.fields);
  return counting(stage, register, ['HINCRBY', hash.key, register.field as string, '1'], via);
}

/** A command whose reply is the version that it has written. */
export function counting(stage: Stage, register: Register, request: readonly string[], via: Via): Step {
  return {
    requests: [request],
    done: ([outcome]) => {
      if (outcome !== undefined)
        record(stage, [register], outcome, operationOf(outcome, via, request[0] as string));
    },
  };
}

/** MULTI … EXEC in one piece. */
function severalAtOnce(stage: Stage, random: Random, db: number, via: Via): Step {
  const some = [...new Set([counter(stage, random, db), counter(stage, random, db)])];
  const registers = stage.keyspace.together(some);
  return {
    requests: [['MULTI'], ...registers.map(({ key }) => ['INCR', key]), ['EXEC']],
    done: (outcomes) => recordTransaction(stage, registers, outcomes.slice(1), via),
  };
}

/** Note a transaction of one INCR for each register. Shape: the outcomes of those INCRs, then that of EXEC; where MULTI failed
 *  the INCRs have run on their own. A nil EXEC (WATCH) has written nothing. */
export function recordTransaction(
  stage: Stage,
  registers: readonly Register[],
  outcomes: readonly Outcome[],
  via: Via,
): void {
  const exec = outcomes.at(-1) as Outcome;
  if (exec.reply === null) return;
  if (Array.isArray(exec.reply)) {
    record(stage, registers, exec, operationOf(exec, via, 'MULTI INCR EXEC'), exec.reply);
    return;
  }
  stage.failed(exec, operationOf(exec, via, 'EXEC'));
  for (const [i, register] of registers.entries()) {
    const outcome = outcomes[i] as Outcome;
    record(stage, [register], outcome, operationOf(outcome, via, 'INCR'));
  }
}

function record(
  stage: Stage,
  registers: readonly Register[],
  outcome: Outcome,
  operation: Operation,
  replies: readonly (Outcome['reply'] | undefined)[] = [outcome.reply],
): void {
  stage.failed(outcome, operation);
  for (const [i, register] of registers.entries()) stage.counted(register, replies[i], operation);
}
