import { errorLine } from '../base/errors.ts';
import type { NearCache } from '../cache/near-cache.ts';
import type { CommandSpec } from '../command/spec.ts';
import { commandByName } from '../command/table.ts';
import type { Lease as LeaseRules } from '../policy/policy.ts';
import { DOLLAR, UNDERSCORE } from '../protocol/bytes.ts';
import { encodeRequest, errorReply, NIL2, NIL3, OK, bulkReply } from '../protocol/encoder.ts';
import type { Request } from '../protocol/request.ts';
import { type CallFailure, OwnCall } from '../shard/call.ts';
import { aimAtCall, answer, lookUpOne, mayHit, wanted } from './cached-answer.ts';
import { argument } from './credential-check.ts';
import { WriteEffect } from './effect.ts';
import type { GrantResult, LeaseSubject, StoreResult } from './lease-tokens.ts';
import type { Leases } from './leases.ts';
import { TtlCall } from './read-call.ts';
import type { Session } from './session.ts';
import { whyClosed, whyNoFlight } from './start-read.ts';
import { failureLine, type Slot } from './slot.ts';
import { ValueRead } from './value-read.ts';

const GET = commandByName('get') as CommandSpec;
const PAIR = Buffer.from('*2\r\n', 'latin1');
const SYNTAX_ERROR = errorReply('ERR syntax error');
const NO_INTEGER = errorReply('ERR value is not an integer or out of range');

/** The commands that nearcache adds to Redis's, with whose words it refuses them. False when one has to wait. */
export function runNearcacheCommand(session: Session, request: Request, spec: CommandSpec): boolean {
  const isArity = spec.arity > 0 ? request.argc === spec.arity : request.argc >= -spec.arity;
  if (!isArity) {
    session.answer(errorReply(`ERR wrong number of arguments for '${spec.name}' command`));
    return true;
  }
  const { leases, cache } = session.context;
  aimAtCall(request, GET, session.space, session.identity.shared.generation.fence);
  const rules = cache?.policies.of(wanted.bytes, wanted.keyStart, wanted.keyEnd).lease;
  if (cache === undefined || leases === undefined || rules === undefined || session.identity.isPassing) {
    session.answerError('NOT_SUPPORTED', { command: spec.name, reason: 'no policy gives this key leases' });
    return true;
  }
  const of = { cache, leases, rules };
  return spec.name === 'nearcache.getlease' ? getLease(session, request, of) : setLease(session, request, of);
}

interface Parts {
  cache: NearCache;
  leases: Leases;
  rules: LeaseRules;
}

// --- NEARCACHE.GETLEASE key -> [value, nil], [nil, token], or [nil, nil] while another loads -------------------

function getLease(session: Session, request: Request, parts: Parts): boolean {
  const { cache } = parts;
  const isHit = mayHit(session, cache, session.now) && lookUpOne(cache, GET, 2, session.proto, session.now);
  if (isHit && session.queue.length === 0) {
    cache.noteHit(GET.family, session.now);
    session.answer(pairOf(session, Buffer.from(answer.bytes.subarray(answer.start, answer.end)), undefined));
    return true;
  }
  if (!session.mayUse('control')) return false;
  const slot = session.slot();
  session.outstanding++;
  const subject: LeaseSubject = {
    session,
    identity: session.identity,
    db: session.db,
    key: request.argLatin1(1),
  };
  readValue(session, request, cache, (reply, failure) => {
    if (reply === undefined) conclude(session, slot, failureOf(session, failure));
    else if (reply[0] === DOLLAR) conclude(session, slot, pairOf(session, reply, undefined));
    else if (reply[0] !== UNDERSCORE) conclude(session, slot, reply);
    else lend(session, slot, subject, parts);
  });
  return true;
}

/** Nothing is there: let this session load, if nobody else does. */
function lend(session: Session, slot: Slot, subject: LeaseSubject, { cache, leases, rules }: Parts): void {
  if (leases.tokens.isFull) {
    const { shardName } = session;
    session.countOwnError();
    return conclude(session, slot, errorLine('TOKENS_LIMIT', { shard: shardName }));
  }
  const token = leases.nextToken();
  leases.tokens.grant(subject, token, rules.ttlMs, (result: GrantResult) => {
    switch (result.kind) {
      case 'granted':
        cache.stats.leasesGranted++;
        return conclude(session, slot, pairOf(session, undefined, token));
      case 'elsewhere':
        return conclude(session, slot, pairOf(session, undefined, undefined));
      case 'value':
        // Of another connection: what is remembered may be older (coherence spec R14).
        cache.revoke(subject.key);
        return conclude(session, slot, pairOf(session, result.reply, undefined));
      case 'refused':
        return conclude(session, slot, result.reply);
      case 'failed':
        return conclude(session, slot, failureOf(session, result.failure));
    }
  });
}

/** GET on the shared connection, for the near-cache as well when it may be. `wanted` is aimed at it. */
function readValue(
  session: Session,
  request: Request,
  cache: NearCache,
  done: (reply: Buffer | undefined, failure: CallFailure | undefined) => void,
): void {
  const { shared } = session.identity;
  const { clock, options } = session.context;
  const key = request.argLatin1(1);
  const policy = cache.policies.of(wanted.bytes, wanted.keyStart, wanted.keyEnd);
  const get = encodeRequest(['GET', argument(request, 1)]);
  const isFilling = whyNoFlight(session, policy) === undefined && whyClosed(cache, key, wanted) === undefined;
  if (!isFilling || !shared.isReady) {
    const call = new OwnCall(done, options.commandTimeoutMs);
    call.sentAt = session.now;
    shared.submit(call, get, 0, get.length, session.db);
    return;
  }
  const { generation } = shared;
  const plan = { generation, sentAt: session.now, policy, maxTtlMs: policy.maxTtlMs };
  const flight = cache.startFlight(wanted, key, plan);
  const read = new ValueRead({ cache, flight, clock }, done);
  read.timeoutMs = options.commandTimeoutMs;
  const block = Buffer.concat([encodeRequest(['PTTL', argument(request, 1)]), get]);
  shared.submitBlock([new TtlCall(flight), read], block, 0, block.length, session.db);
}

// --- NEARCACHE.SETLEASE key token value [PX ms] -> OK, or nil when it must not be stored any more --------------

function setLease(session: Session, request: Request, { cache, leases }: Parts): boolean {
  const ttl = timeToLive(request);
  if (Buffer.isBuffer(ttl)) {
    session.answer(ttl);
    return true;
  }
  if (!session.mayUse('control')) return false;
  const key = request.argLatin1(1);
  const subject = { identity: session.identity, db: session.db, key };
  const held = leases.tokens.take(subject, request.argLatin1(2));
  if (held === undefined) {
    session.answer(nilOf(session));
    return true;
  }
  const slot = session.slot();
  session.outstanding++;
  const effect = new WriteEffect(cache, [key]);
  leases.tokens.store(held, argument(request, 3), ttl, (result: StoreResult) => {
    effect.replied();
    if (result.kind === 'stored') conclude(session, slot, OK);
    else if (result.kind === 'outdated') conclude(session, slot, nilOf(session));
    else
      conclude(session, slot, result.kind === 'refused' ? result.reply : failureOf(session, result.failure));
  });
  return true;
}

/** The options of SET, or the error that Redis would answer. */
function timeToLive(request: Request): string[] | Buffer {
  if (request.argc === 4) return [];
  if (request.argc !== 6 || request.argLatin1(4).toLowerCase() !== 'px') return SYNTAX_ERROR;
  const text = request.argLatin1(5);
  if (!/^(0|-?[1-9]\d{0,17})$/.test(text)) return NO_INTEGER;
  if (Number(text) <= 0) return errorReply("ERR invalid expire time in 'nearcache.setlease' command");
  return ['PX', text];
}

// --- replies ---------------------------------------------------------------------------------------------------

function conclude(session: Session, slot: Slot, bytes: Buffer): void {
  if (!session.isClosed) slot.answer(bytes);
  session.settled(slot);
}

/** Shape: `value` is a whole bulk reply. */
function pairOf(session: Session, value: Buffer | undefined, token: string | undefined): Buffer {
  const nil = nilOf(session);
  return Buffer.concat([PAIR, value ?? nil, token === undefined ? nil : bulkReply(token)]);
}

function nilOf({ proto }: Session): Buffer {
  return proto === 2 ? NIL2 : NIL3;
}

function failureOf(session: Session, failure: CallFailure | undefined): Buffer {
  session.countOwnError();
  const { commandTimeoutMs } = session.context.options;
  const known = failure ?? { kind: 'lost', reason: 'no reply' };
  return failureLine(known, session.shardName, commandTimeoutMs);
}
