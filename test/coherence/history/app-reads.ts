import type { Random } from '../../fuzz/random.ts';
import { Failure } from './client.ts';
import { PRESENT, type Token } from './history.ts';
import { ACCOUNTS, type CounterHash, type Keyspace, pickHot, type Register, type Slot } from './keyspace.ts';
import type { Step, StepKind } from './request.ts';
import { judgeBank, judgePair } from './snapshots.ts';
import { operationOf, type Stage, tokenOf } from './stage.ts';

const READ_DECLARED = "return redis.call('GET', KEYS[1])";
const READ_UNDECLARED = "return redis.call('GET', ARGV[1])";

/** Reads of an app through nearcache: mostly such that may be hits, some that may not and that tell a session of newer values. */
export const READS: readonly StepKind[] = [
  kind(30, hasStrings, getOne),
  kind(1, hasStrings, getRange),
  kind(1, hasStrings, exists),
  kind(1.5, hasStrings, getSeveral),
  kind(6, hasHashes, hashField),
  kind(3, hasHashes, hashWhole),
  kind(2, hasPairs, pairAtOnce),
  kind(4, hasPairs, pairHalf),
  kind(1, ({ hasBank }) => hasBank, bank),
  kind(0.15, ({ hasScripts }) => hasScripts, byScript),
  kind(0.15, hasStrings, insideMulti),
  kind(0.15, hasStrings, byGetex),
];

function kind(weight: number, fits: StepKind['fits'], make: StepKind['make']): StepKind {
  return { weight, fits, make };
}

function hasStrings(keyspace: Keyspace): boolean {
  return keyspace.counters.length + keyspace.slots.length + keyspace.flushed.length > 0;
}

function hasHashes(keyspace: Keyspace): boolean {
  return keyspace.hashes.length > 0;
}

function hasPairs(keyspace: Keyspace): boolean {
  return keyspace.slots.some(({ isPair }) => isPair);
}

/** A string of database `db`. */
function string({ keyspace }: Stage, random: Random, db: number): Register {
  const flushed = keyspace.flushed[db];
  if (flushed !== undefined) return pickHot(random, flushed);
  if (keyspace.nomads.length > 0 && db === 0 && random.chance(0.15)) return random.pick(keyspace.nomads);
  if (keyspace.counters.length > 0 && (db !== 0 || random.chance(0.6)))
    return pickHot(random, keyspace.countersOf(db));
  const singles = keyspace.slots.filter(({ isPair }) => !isPair);
  return pickHot(random, singles).registers[0] as Register;
}

function getOne(stage: Stage, random: Random, db: number): Step {
  const register = string(stage, random, db);
  return readOf(stage, register, ['GET', register.key]);
}

function getRange(stage: Stage, random: Random, db: number): Step {
  const register = string(stage, random, db);
  return readOf(stage, register, ['GETRANGE', register.key, '0', '-1']);
}

/** A command that shows one register's value. */
export function readOf(stage: Stage, register: Register, request: readonly string[]): Step {
  const wasHit = stage.hitTest(register.db, request);
  return {
    requests: [request],
    done: ([outcome]) => {
      if (outcome === undefined) return;
      const operation = operationOf(outcome, 'proxy', request[0] as string);
      if (!stage.failed(outcome, operation))
        stage.read(register, tokenOf(outcome.reply), operation, wasHit());
    },
  };
}

function exists(stage: Stage, random: Random, db: number): Step {
  const register = string(stage, random, db);
  const request = ['EXISTS', register.key];
  const wasHit = stage.hitTest(register.db, request);
  return {
    requests: [request],
    done: ([outcome]) => {
      if (outcome === undefined) return;
      const operation = operationOf(outcome, 'proxy', 'EXISTS');
      if (stage.failed(outcome, operation)) return;
      stage.read(register, outcome.reply === '0' ? null : PRESENT, operation, wasHit());
    },
  };
}

function getSeveral(stage: Stage, random: Random, db: number): Step {
  const registers = [...new Set(random.list(2, 4, () => string(stage, random, db)))];
  return readSeveral(stage, registers, ['MGET', ...registers.map(({ key }) => key)]);
}

/** One command with a list of values; `judge` looks at them together. */
function readSeveral(
  stage: Stage,
  registers: readonly Register[],
  request: readonly string[],
  judge?: (tokens: readonly Token[], text: string) => void,
): Step {
  const wasHit = stage.hitTest((registers[0] as Register).db, request);
  return {
    requests: [request],
    done: ([outcome]) => {
      if (outcome === undefined) return;
      const operation = operationOf(outcome, 'proxy', request.join(' '));
      if (stage.failed(outcome, operation) || !Array.isArray(outcome.reply)) return;
      const tokens = outcome.reply.map(tokenOf);
      const isHit = wasHit();
      for (const [i, register] of registers.entries())
        stage.read(register, tokens[i] as string | null, operation, isHit);
      judge?.(tokens, `${request.join(' ')} on connection ${outcome.connection}${isHit ? ', a hit' : ''}`);
    },
  };
}

function hashField(stage: Stage, random: Random, db: number): Step {
  const register = random.pick(hashOf(stage, db).fields);
  return readOf(stage, register, ['HGET', register.key, register.field as string]);
}

function hashWhole(stage: Stage, random: Random, db: number): Step {
  const { key, fields } = hashOf(stage, db);
  if (random.chance(0.5)) {
    const names = fields.map(({ field }) => field as string);
    return readSeveral(stage, fields, ['HMGET', key, ...names]);
  }
  return allFields(stage, key, fields);
}

function hashOf({ keyspace }: Stage, db: number): CounterHash {
  return keyspace.hashes.find((hash) => hash.db === db) as CounterHash;
}

function allFields(
  stage: Stage,
  key: string,
  fields: readonly Register[],
  judge?: (tokens: readonly Token[], text: string) => void,
): Step {
  const request = ['HGETALL', key];
  const wasHit = stage.hitTest((fields[0] as Register).db, request);
  return {
    requests: [request],
    done: ([outcome]) => {
      if (outcome === undefined) return;
      const operation = operationOf(outcome, 'proxy', 'HGETALL');
      if (stage.failed(outcome, operation) || !Array.isArray(outcome.reply)) return;
      const { reply } = outcome;
      const isHit = wasHit();
      const tokens = fields.map(({ field }) => {
        const at = reply.findIndex((name, i) => i % 2 === 0 && name === field);
        return at === -1 ? null : tokenOf(reply[at + 1]);
      });
      for (const [i, register] of fields.entries())
        stage.read(register, tokens[i] as string | null, operation, isHit);
      judge?.(tokens, `HGETALL ${key} on connection ${outcome.connection}${isHit ? ', a hit' : ''}`);
    },
  };
}

function pairOf({ keyspace }: Stage, random: Random): Slot {
  return random.pick(keyspace.slots.filter(({ isPair }) => isPair));
}

/** Pairs are in database 0; from another one there is nothing to see, which is as much the truth. */
function pairAtOnce(stage: Stage, random: Random, db: number): Step {
  if (db !== 0) return getSeveral(stage, random, db);
  const { registers, isHash } = pairOf(stage, random);
  const [left, right] = registers as [Register, Register];
  const judge = (tokens: readonly Token[], text: string): void => judgePair(stage, tokens, text);
  if (isHash && random.chance(0.5)) return allFields(stage, left.key, registers, judge);
  const request = isHash
    ? ['HMGET', left.key, left.field as string, right.field as string]
    : ['MGET', left.key, right.key];
  return readSeveral(stage, registers, request, judge);
}

function pairHalf(stage: Stage, random: Random, db: number): Step {
  if (db !== 0) return getOne(stage, random, db);
  const { registers, isHash } = pairOf(stage, random);
  const register = random.pick(registers);
  if (isHash) return readOf(stage, register, ['HGET', register.key, register.field as string]);
  return readOf(stage, register, ['GET', register.key]);
}

function bank(stage: Stage, random: Random, db: number): Step {
  if (db !== 0) return getOne(stage, random, db);
  const request = random.chance(0.5) ? ['MGET', ...ACCOUNTS] : ['GET', random.pick(ACCOUNTS)];
  return {
    requests: [request],
    done: ([outcome]) => {
      if (outcome === undefined || stage.failed(outcome, operationOf(outcome, 'proxy', request[0] as string)))
        return;
      const { reply, connection } = outcome;
      if (Array.isArray(reply)) judgeBank(stage, reply.map(tokenOf), `MGET on connection ${connection}`);
    },
  };
}

function byScript(stage: Stage, random: Random, db: number): Step {
  const register = string(stage, random, db);
  const { hasUndeclared } = stage.keyspace;
  const script = hasUndeclared ? [READ_UNDECLARED, '0'] : [READ_DECLARED, '1'];
  return readOf(stage, register, ['EVAL', ...script, register.key]);
}

function byGetex(stage: Stage, random: Random, db: number): Step {
  const register = string(stage, random, db);
  return readOf(stage, register, ['GETEX', register.key]);
}

function insideMulti(stage: Stage, random: Random, db: number): Step {
  const some = [...new Set([string(stage, random, db), string(stage, random, db)])];
  const registers = stage.keyspace.together(some);
  return {
    requests: [['MULTI'], ...registers.map(({ key }) => ['GET', key]), ['EXEC']],
    done: (outcomes) => {
      // The first error says why EXEC has failed.
      const exec = outcomes.find(({ reply }) => reply instanceof Failure) ?? outcomes.at(-1);
      if (exec === undefined) return;
      const operation = operationOf(exec, 'proxy', 'MULTI GET EXEC');
      if (stage.failed(exec, operation) || !Array.isArray(exec.reply)) return;
      for (const [i, register] of registers.entries())
        stage.read(register, tokenOf(exec.reply[i]), operation, false);
    },
  };
}
