import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allCommands, commandByName, describedServer, lookup, resolve } from '../../../src/command/table.ts';
import { FAMILIES } from '../../../src/command/spec.ts';
import { requestOf } from '../../support/request-of.ts';

const commands = allCommands().filter((spec) => !spec.name.includes('|'));

function find(name: string): ReturnType<typeof lookup> {
  const bytes = Buffer.from(`<${name}>`, 'latin1');
  return lookup(bytes, 1, bytes.length - 1);
}

/** Names with the case of each letter chosen at random. */
const anyCase = (name: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) => name.replaceAll(/./g, (char, i: number) => (upper[i] ? char.toUpperCase() : char)));

describe('lookup', () => {
  it.each(commands)('finds $name in any case', (spec) => {
    fc.assert(
      fc.property(anyCase(spec.name), (name) => {
        expect(find(name)).toBe(spec);
      }),
      { numRuns: 20 },
    );
  });

  it('finds nothing for other bytes, however near to a name', () => {
    const names = new Set(commands.map((spec) => spec.name));
    const near = fc
      .constantFrom(...names)
      .chain((name) =>
        fc
          .tuple(fc.nat(name.length), fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1))
          .map(
            ([at, byte, removed]) => name.slice(0, at) + String.fromCharCode(byte) + name.slice(at + removed),
          ),
      );
    const random = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(fc.oneof(near, random), (text) => {
        // Redis folds A–Z only; toLowerCase would fold other letters as well.
        const folded = text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
        expect(find(text)?.name).toBe(names.has(folded) ? folded : undefined);
      }),
      { numRuns: 5000 },
    );
  });

  it.each(['', 'client|list', 'restore\rasking', 'sort\x7fro', 'g\xe5t', 'GET\0'])(
    'does not find %j',
    (name) => {
      expect(find(name)).toBeUndefined();
    },
  );
});

describe('resolve', () => {
  it.each(allCommands().filter((spec) => spec.name.includes('|')))('finds the subcommand $name', (spec) => {
    const [container, sub] = spec.name.toUpperCase().split('|') as [string, string];
    expect(resolve(requestOf(container, sub))).toBe(spec);
  });

  it.each(['OBJECT', 'OBJECT NOSUCH k', 'OBJECT object|freq k', 'CLIENT SETINFO lib-name x'])(
    'gives the container for %s',
    (line) => {
      const words = line.split(' ');
      expect(resolve(requestOf(...words))?.name).toBe(words[0]?.toLowerCase());
    },
  );

  it('does not take an argument for a subcommand where the command has none', () => {
    expect(resolve(requestOf('GET', 'get'))?.name).toBe('get');
  });

  it('finds nothing for an unknown command', () => {
    expect(resolve(requestOf('JSON.GET', 'k'))).toBeUndefined();
  });
});

describe('the table', () => {
  it('names each command once, in order, with its index as id', () => {
    const names = allCommands().map((spec) => spec.name);
    expect(names).toEqual([...new Set(names)].toSorted());
    expect(allCommands().map((spec) => spec.id)).toEqual(names.map((_, index) => index));
  });

  it('finds each command by its full name', () => {
    for (const spec of allCommands()) expect(commandByName(spec.name)).toBe(spec);
    expect(commandByName('nosuch')).toBeUndefined();
  });

  it('says which server it describes', () => {
    expect(describedServer).toMatch(/^redis \d+\.\d+\.\d+$/);
  });

  it('keeps a subcommand with its container', () => {
    expect(commandByName('client')?.subcommands?.get('list')).toBe(commandByName('client|list'));
  });
});

describe('the family of a command', () => {
  it.each([
    ['get', 'string'],
    ['hgetall', 'hash'],
    ['lrange', 'list'],
    ['smembers', 'set'],
    ['zrange', 'sorted-set'],
    ['getbit', 'bitmap'],
    ['geosearch', 'geo'],
    ['pfcount', 'hyperloglog'],
    ['xinfo|stream', 'stream'],
    ['exists', 'generic'],
    ['ping', 'other'],
    ['waitaof', 'other'],
  ])('is that of the group of %s: %s', (name, family) => {
    expect(FAMILIES[commandByName(name)?.family as number]).toBe(family);
  });

  it('is never the one of all the rest for what can be cached', () => {
    const other = FAMILIES.length - 1;
    expect(allCommands().filter((spec) => spec.cacheClass !== '' && spec.family === other)).toEqual([]);
  });
});
