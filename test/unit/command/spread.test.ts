import { describe, expect, it } from 'vitest';

import type { CommandSpec } from '../../../src/command/spec.ts';
import { spreadRows } from '../../../src/command/spread-rows.ts';
import { type Spread, spreadOf } from '../../../src/command/spread.ts';
import { allCommands, commandByName } from '../../../src/command/table.ts';

const decided = spreadRows.flatMap((row) => row.commands);

function namesKeys(spec: CommandSpec): boolean {
  return spec.keyRule !== '' || spec.keySpecs.length > 0;
}

function spread(name: string): Spread {
  return spreadOf(commandByName(name) as CommandSpec);
}

describe('over several shards', () => {
  it('it is decided how every command works that names no keys', () => {
    const keyless = allCommands().filter((spec) => !namesKeys(spec));
    expect(keyless.map((spec) => spec.name).filter((name) => !decided.includes(name))).toEqual([]);
  });

  it('each command is decided once, with a reason, and is in the table', () => {
    expect(decided.toSorted()).toEqual([...new Set(decided)].toSorted());
    expect(decided.filter((name) => commandByName(name) === undefined)).toEqual([]);
    for (const { reason } of spreadRows) expect(reason).toMatch(/^[A-Z].*\.$/);
  });

  it('only commands that name keys go by their keys', () => {
    const wrong = allCommands().filter((spec) => {
      const { kind } = spreadOf(spec);
      return (kind === 'keys' || kind === 'split') && !namesKeys(spec);
    });
    expect(wrong.map((spec) => spec.name)).toEqual([]);
  });

  it('only commands that name no keys go elsewhere', () => {
    const wrong = allCommands().filter((spec) => {
      const { kind } = spreadOf(spec);
      return kind !== 'keys' && kind !== 'split' && namesKeys(spec);
    });
    expect(wrong.map((spec) => spec.name)).toEqual([]);
  });

  it.each(['get', 'set', 'sinter', 'rename', 'msetnx', 'eval', 'xread', 'watch', 'nearcache.getlease'])(
    '%s goes by its keys',
    (name) => {
      expect(spread(name)).toEqual({ kind: 'keys' });
    },
  );

  it('six commands are split, those whose keys have nothing to do with each other', () => {
    const split = allCommands().filter((spec) => spreadOf(spec).kind === 'split');
    expect(split.map((spec) => spec.name)).toEqual('del exists mget mset touch unlink'.split(' '));
    expect(spread('mset')).toEqual({ kind: 'split', step: 2, merge: 'same' });
  });

  it('what changes no key but the server changes all servers, or is refused', () => {
    const toldAll = new Set(['all', 'session', 'refused', 'channel', 'unknown']);
    const writes =
      'flushall flushdb swapdb script|load script|flush function|load function|delete function|flush function|restore ' +
      'acl|setuser acl|deluser acl|load config|set config|rewrite config|resetstat module|load client|pause ' +
      'replicaof failover shutdown cluster|setslot save bgsave';
    expect(writes.split(' ').filter((name) => !toldAll.has(spread(name).kind))).toEqual([]);
  });

  it('a subcommand that is not in the table is treated as an unknown command', () => {
    for (const spec of allCommands()) {
      if (spec.subcommands === undefined || spec.keyAccess !== 'unknown') continue;
      expect([spec.name, spreadOf(spec).kind]).toEqual([spec.name, 'unknown']);
    }
  });

  it('a command that must overtake others does so on every shard', () => {
    for (const spec of allCommands()) {
      const how = spreadOf(spec);
      if (spec.place !== 'control' || how.kind !== 'all') continue;
      expect([spec.name, how.link]).toEqual([spec.name, 'control']);
    }
  });

  it('a command that blocks does not hold up the shared connections', () => {
    for (const spec of allCommands()) {
      const how = spreadOf(spec);
      if (!spec.isBlocking || how.kind !== 'all') continue;
      expect([spec.name, how.link]).toEqual([spec.name, 'pinned']);
    }
  });

  it('what the server says about merging is what is done', () => {
    const rules: Record<string, readonly string[]> = {
      'response_policy:agg_sum': ['sum'],
      'response_policy:agg_min': ['min'],
      'response_policy:agg_logical_and': ['min-each'],
      'response_policy:one_succeeded': ['any-ok'],
      'response_policy:all_succeeded': ['same', 'sum', 'first'],
    };
    for (const spec of allCommands()) {
      const how = spreadOf(spec);
      const rule = spec.tips.flatMap((tip) => rules[tip] ?? []);
      // MSETNX is atomic here; PING is answered by nearcache.
      if (rule.length === 0 || spec.name === 'msetnx' || spec.name === 'ping') continue;
      expect([spec.name, 'merge' in how && rule.includes(how.merge)]).toEqual([spec.name, true]);
    }
  });
});
