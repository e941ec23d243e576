import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../fuzz/random.ts';
import { Failure, type Outcome } from './client.ts';
import type { Register, Slot } from './keyspace.ts';
import { allRoutes, type Route } from './routes.ts';
import { operationOf, pauseMs, type Stage } from './stage.ts';

/** What the owner knows about a slot. Shape: `token` null = deleted; `expires` = it had a time to live, so it may be gone. */
interface Held {
  token: string | null;
  expires: boolean;
}

/** One write of a slot: the command, and the state that its reply says it has left. */
interface SlotWrite {
  readonly request: readonly string[];
  readonly leaves: (reply: Outcome['reply']) => { token: string | null; livesMs?: number | undefined };
}

const SET_DECLARED_PAIR = "return redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], ARGV[1])";
const SET_UNDECLARED_PAIR = "return redis.call('MSET', ARGV[1], ARGV[3], ARGV[2], ARGV[3])";

/** Writes its slots one after another, each time by another way, so that it alone knows the order of what may expire, be deleted
 *  and come back. A slot whose write has no clear outcome goes on under new keys. */
export async function runOwner(
  stage: Stage,
  random: Random,
  slots: readonly Slot[],
  meanPauseMs: number,
): Promise<void> {
  const owner = new Owner(stage, random);
  const routes = allRoutes(stage);
  while (!stage.isOver) {
    await owner.write(random.pick(slots), random.pick(routes));
    await delay(pauseMs(random, meanPauseMs));
  }
  for (const route of routes) route.close();
}

class Owner {
  readonly #stage: Stage;
  readonly #random: Random;
  /** By slot and its registers, so that new registers begin anew. */
  readonly #held = new WeakMap<readonly Register[], Held>();

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
  }

  async write(slot: Slot, route: Route): Promise<void> {
    const client = await route.client();
    if (client === undefined) return;
    const { registers } = slot;
    const held = this.#held.get(registers) ?? { token: null, expires: false };
    const version = Math.max(...registers.map(({ lastVersion }) => lastVersion)) + 1;
    for (const register of registers) register.lastVersion = version;
    const token = `${slot.name}.${slot.generation}.${version}`;
    const write = slot.isPair ? this.#pairWrite(slot, token) : this.#singleWrite(slot, token, held);
    const outcome = await client.call(...write.request);
    const operation = operationOf(outcome, route.via, write.request.slice(0, 1).join(' '));
    const isKnown = !(outcome.reply instanceof Failure);
    const left = isKnown ? write.leaves(outcome.reply) : write.leaves('1');
    for (const register of registers) {
      register.history.writes.push({
        ...operation,
        version,
        ...left,
        end: isKnown ? operation.end : Infinity,
      });
    }
    this.#held.set(registers, { token: left.token, expires: left.livesMs !== undefined });
    if (isKnown) return;
    this.#stage.failed(outcome, operation);
    // Unless a loss of all data has retired it meanwhile.
    if (slot.registers === registers) this.#stage.keyspace.retire(slot);
  }

  #singleWrite({ registers }: Slot, token: string, held: Held): SlotWrite {
    const { key } = registers[0] as Register;
    const livesMs = this.#random.int(20, 400);
    const sets = { token, livesMs: undefined };
    const deletes = { token: null };
    const choice = this.#random.next();
    if (choice < 0.4) return { request: ['SET', key, token], leaves: () => sets };
    if (choice < 0.65) {
      return { request: ['SET', key, token, 'PX', String(livesMs)], leaves: () => ({ token, livesMs }) };
    }
    if (choice < 0.7) return { request: ['GETDEL', key], leaves: () => deletes };
    if (choice < 0.8) return { request: ['UNLINK', key], leaves: () => deletes };
    const { token: before } = held;
    const { population } = this.#stage.keyspace;
    const isCertain = population !== 'vanishing' && population !== 'owned';
    if (before === null || !isCertain) {
      return { request: ['MSET', key, token], leaves: () => sets };
    }
    if (choice < 0.93 || !held.expires) {
      return {
        request: ['PEXPIRE', key, String(livesMs)],
        leaves: (reply) => (reply === '1' ? { token: before, livesMs } : deletes),
      };
    }
    return {
      request: ['PERSIST', key],
      leaves: (reply) => (reply === '1' ? { token: before } : deletes),
    };
  }

  #pairWrite({ registers, isHash }: Slot, token: string): SlotWrite {
    const [left, right] = registers as [Register, Register];
    const sets = { token };
    if (this.#random.chance(0.1)) {
      const keys = isHash ? [left.key] : [left.key, right.key];
      return { request: ['DEL', ...keys], leaves: () => ({ token: null }) };
    }
    if (isHash) {
      const fields = [left.field as string, token, right.field as string, token];
      return { request: ['HSET', left.key, ...fields], leaves: () => sets };
    }
    if (this.#stage.keyspace.hasScripts && this.#random.chance(0.2)) {
      const { hasUndeclared } = this.#stage.keyspace;
      const script = hasUndeclared ? [SET_UNDECLARED_PAIR, '0'] : [SET_DECLARED_PAIR, '2'];
      return { request: ['EVAL', ...script, left.key, right.key, token], leaves: () => sets };
    }
    return { request: ['MSET', left.key, token, right.key, token], leaves: () => sets };
  }
}
