import { describe, expect, it } from 'vitest';
import data from '../../../src/command/commands.generated.json' with { type: 'json' };
import { laterCommands, neverCached, overrides, ownCommands } from '../../../src/command/overrides.ts';
import {
  type CommandDescription,
  type CommandSpec,
  makeSpecs,
  type Override,
} from '../../../src/command/spec.ts';
import { allCommands, commandByName } from '../../../src/command/table.ts';

const described = [...(data.commands as readonly CommandDescription[]), ...laterCommands, ...ownCommands];

/** The names of those with a trait. */
function names(has: (spec: CommandSpec) => boolean): string[] {
  return allCommands().flatMap((spec) => (has(spec) ? [spec.name] : []));
}

function traits(spec: CommandSpec | undefined): object | undefined {
  if (spec === undefined) return undefined;
  const { place, keyAccess, cacheClass, isWrite, isBlocking, isSlow, flushesAll } = spec;
  return { place, keyAccess, cacheClass, isWrite, isBlocking, isSlow, flushesAll };
}

describe('an override', () => {
  const each = overrides.flatMap((row, index) =>
    row.commands.map((name) => ({ name, index, reason: row.reason })),
  );

  it.each(each)('changes $name: $reason', ({ name, index }) => {
    const without = (row: Override, at: number): Override =>
      at === index ? { ...row, commands: row.commands.filter((other) => other !== name) } : row;
    const spec = makeSpecs(described, overrides.map(without)).find((other) => other.name === name);
    expect(spec).toBeDefined();
    expect(traits(spec)).not.toEqual(traits(commandByName(name)));
  });

  it('gives its reason to the spec', () => {
    expect(commandByName('wait')?.reason).toMatch(/offset of the last command/);
    expect(commandByName('set')?.reason).toBe('');
  });

  it('is needed for a command whose keys cannot be found from its description', () => {
    const keySpecs = [{ access: 'RO', keyword: 'STREAMS', startfrom: 1 }] as const;
    const command = { name: 'x.new', arity: -2, since: '9.0.0', flags: [], keySpecs };
    expect(() => makeSpecs([command], [])).toThrow('x.new: its keys need a rule');
  });
});

describe('what may be cached', () => {
  const cacheable = names((spec) => spec.cacheClass !== '');

  it('is decided for every readonly command, one way or the other', () => {
    const readonly = names((spec) => spec.isRead);
    expect([...cacheable, ...neverCached.keys()].toSorted()).toEqual(readonly.toSorted());
  });

  it('are 49 commands of one key, 2 that split, 10 of several keys and SORT_RO', () => {
    const count = (cacheClass: string): number => names((spec) => spec.cacheClass === cacheClass).length;
    expect([count('A'), count('B'), count('C'), count('D')]).toEqual([49, 2, 10, 1]);
    expect(neverCached.size).toBe(28);
  });

  it('names its keys, runs on the shared connection and does not block', () => {
    for (const name of cacheable) {
      expect(commandByName(name)).toMatchObject({
        keyAccess: 'declared',
        place: 'shared',
        isBlocking: false,
      });
    }
  });

  it('is no command that may modify, but for PFCOUNT, which refreshes a cached cardinality', () => {
    expect(cacheable.filter((name) => commandByName(name)?.isWrite)).toEqual(['pfcount']);
  });

  it('has one key exactly in class A', () => {
    for (const name of names((spec) => spec.cacheClass === 'A')) expect(commandByName(name)?.onlyKey).toBe(1);
  });
});

describe('commands that modify', () => {
  it.each(
    (
      'del unlink mset msetnx rename renamenx copy move smove lmove rpoplpush blmove brpoplpush lmpop zmpop blmpop bzmpop ' +
      'bitop pfmerge migrate sunionstore sort georadius georadiusbymember bitfield getdel getex getset set spop lpop ' +
      'zpopmin blpop bzpopmax xreadgroup xclaim xautoclaim pfcount eval evalsha fcall restore xgroup|create'
    ).split(' '),
  )('include %s, whatever its options', (name) => {
    expect(commandByName(name)?.isWrite).toBe(true);
  });

  it.each('get exists touch object|freq sort_ro bitfield_ro georadius_ro xread eval_ro ttl watch'.split(' '))(
    'do not include %s',
    (name) => {
      expect(commandByName(name)?.isWrite).toBe(false);
    },
  );

  it('beyond their keys are scripts, migration, debugging, modules and newer subcommands', () => {
    const unknown = names((spec) => spec.keyAccess === 'unknown' && spec.subcommands === undefined);
    expect(unknown.join(' ')).toBe(
      'debug eval evalsha fcall migrate module|load module|loadex module|unload restore-asking',
    );
    expect(commandByName('xgroup')).toMatchObject({ keyAccess: 'unknown', place: 'pinned' });
  });
});

describe('places', () => {
  it('leave everything on the shared connection but the commands listed here', () => {
    const elsewhere: Record<string, string[]> = {};
    for (const spec of allCommands()) {
      if (spec.place !== 'shared' && spec.subcommands === undefined && !spec.name.startsWith('client|')) {
        (elsewhere[spec.place] ??= []).push(spec.name);
      }
    }
    expect(elsewhere).toEqual({
      session: (
        'auth discard echo exec hello multi nearcache.getlease nearcache.setlease ping quit reset select ' +
        'unwatch watch'
      ).split(' '),
      subscribe: 'psubscribe punsubscribe ssubscribe subscribe sunsubscribe unsubscribe'.split(' '),
      pinned: (
        'blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin debug failover module|load module|loadex ' +
        'module|unload pfselftest replicaof restore-asking shutdown slaveof wait waitaof'
      ).split(' '),
      sticky: ['asking', 'monitor', 'readonly', 'readwrite', 'script|debug'],
      control: ['function|kill', 'function|stats', 'script|kill'],
      refused: ['psync', 'replconf', 'sync'],
    });
  });

  it('give every CLIENT subcommand to the session, newer ones included', () => {
    const client = commandByName('client');
    expect(client).toMatchObject({ place: 'session', keyAccess: 'none' });
    for (const spec of client?.subcommands?.values() ?? []) expect(spec.place).toBe('session');
  });
});
