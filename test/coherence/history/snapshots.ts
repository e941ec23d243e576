import type { Token } from './history.ts';
import { ACCOUNTS, OPENING_BALANCE } from './keyspace.ts';
import type { Stage } from './stage.ts';

/** Two values that are always written together differ: no state of Redis had both (I13). */
export function judgePair(stage: Stage, tokens: readonly Token[], text: string): void {
  if (tokens[0] === tokens[1]) return;
  const shown = `${String(tokens[0])} and ${String(tokens[1])}`;
  stage.violated({ rule: 'I13', text: `${text}: a torn read, ${shown}`, excerpt: [] });
}

/** Money has appeared or disappeared: a torn read (I13), or an update was lost since a WATCH did not protect it (I7). */
export function judgeBank(stage: Stage, balances: readonly Token[], text: string): void {
  const total = balances.reduce<number>((sum, balance) => sum + Number(balance), 0);
  if (total === ACCOUNTS.length * OPENING_BALANCE) return;
  const shown = `${balances.map(String).join(' + ')} = ${total}`;
  stage.violated({ rule: 'I7, I13', text: `${text}: the bank has ${shown}`, excerpt: [] });
}
