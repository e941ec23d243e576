import { describe, expect, test } from 'vitest';

import { askAt, inOneWrite, oneByOne, textOfReply, useRing } from '../../support/over-ring.ts';

const stage = useRing();

const CROSSSLOT = /^-CROSSSLOT /;
const UNSUPPORTED = /^-ERR nearcache: '.*' is not supported through nearcache: /;

describe('a transaction over several shards', () => {
  test('with keys on several is told CROSSSLOT and runs nothing', async () => {
    const [a, b] = stage.keys;
    for (const send of [oneByOne, inOneWrite]) {
      const client = await stage.connect();
      const replies = await send(client, [
        ['MULTI'],
        ['SET', a, 'x'],
        ['SET', b, 'y'],
        ['GET', a],
        ['EXEC'],
        ['MGET', a, b],
      ]);
      expect(replies[2]).toMatch(CROSSSLOT);
      expect(replies.slice(4)).toEqual([
        '-EXECABORT Transaction discarded because of previous errors.\r\n',
        '*2\r\n$-1\r\n$-1\r\n',
      ]);
    }
  });

  test('watches keys of one shard, beside which others may be read', async () => {
    const [client, other] = [await stage.connect(), await stage.connect()];
    const [a, b] = stage.keys;
    expect(await textOfReply(client.call('WATCH', a, b))).toMatch(CROSSSLOT);
    await client.call('MSET', a, '1', b, '2');
    expect(
      await oneByOne(client, [['WATCH', b], ['GET', a], ['MGET', a, b], ['MULTI'], ['INCR', b], ['EXEC']]),
    ).toEqual([
      '+OK\r\n',
      '$1\r\n1\r\n',
      '*2\r\n$1\r\n1\r\n$1\r\n2\r\n',
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n:3\r\n',
    ]);
    await client.call('WATCH', b);
    await other.call('SET', b, '9');
    const replies = await oneByOne(client, [
      ['MULTI'],
      ['INCR', b],
      ['EXEC'],
      ['WATCH', b],
      ['MULTI'],
      ['GET', a],
      ['EXEC'],
    ]);
    expect(replies[2]).toBe('*-1\r\n');
    expect(replies[5]).toMatch(CROSSSLOT);
    expect(replies[6]).toMatch(/^-EXECABORT /);
  });

  test('whose first command has no key is on the home shard', async () => {
    const client = await stage.connect();
    const [a, b] = stage.keys;
    expect(await oneByOne(client, [['MULTI'], ['PING'], ['SET', a, 'v'], ['EXEC']])).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      '+QUEUED\r\n',
      '*2\r\n+PONG\r\n+OK\r\n',
    ]);
    const replies = await oneByOne(client, [['MULTI'], ['PING'], ['SET', b, 'v'], ['EXEC'], ['MGET', a, b]]);
    expect(replies[2]).toMatch(CROSSSLOT);
    expect(replies.slice(3)).toEqual([
      '-EXECABORT Transaction discarded because of previous errors.\r\n',
      '*2\r\n$1\r\nv\r\n$-1\r\n',
    ]);
  });

  test('that has not begun is left by DISCARD, RESET and an EXEC of nothing', async () => {
    const client = await stage.connect();
    const b = stage.keys[1];
    const replies = await oneByOne(client, [
      ['MULTI'],
      ['DISCARD'],
      ['MULTI'],
      ['EXEC'],
      ['MULTI'],
      ['RESET'],
      ['SET', b, 'v'],
    ]);
    expect(replies).toEqual(['+OK\r\n', '+OK\r\n', '+OK\r\n', '*0\r\n', '+OK\r\n', '+RESET\r\n', '+OK\r\n']);
    expect(await oneByOne(client, [['MULTI'], ['QUIT']])).toEqual(['+OK\r\n', '+OK\r\n']);
    await client.closed;
  });

  test.each([
    ['runs on every shard', ['DBSIZE']],
    ['changes what a server is', ['REPLICAOF', 'NO', 'ONE']],
    ['reads keys that it does not name', ['SORT', 'k', 'BY', 'w_*']],
    ['scans', ['SCAN', '0']],
  ])('refuses and is aborted by what %s', async (_, line) => {
    for (const send of [oneByOne, inOneWrite]) {
      const replies = await send(await stage.connect(), [['MULTI'], line, ['EXEC']]);
      expect(replies[1]).toMatch(UNSUPPORTED);
      expect(replies[2]).toMatch(/^-EXECABORT /);
    }
  });
});

describe('a value above --big-value-size over several shards', () => {
  const big = Buffer.alloc(3 << 20, 'b');

  test('goes to the shard of its key', async () => {
    const client = await stage.connect();
    for (const key of stage.keys) {
      expect(
        await oneByOne(client, [
          ['SET', key, big],
          ['STRLEN', key],
          ['APPEND', key, 'x'],
        ]),
      ).toEqual(['+OK\r\n', `:${big.length}\r\n`, `:${big.length + 1}\r\n`]);
    }
    const sizes = await Promise.all(stage.ring.shards.map(({ server }) => askAt(server, 'DBSIZE')));
    expect(sizes).toEqual([':1\r\n', ':1\r\n', ':1\r\n']);
  });

  test('is part of a transaction, or ends it', async () => {
    const [a, b] = stage.keys;
    for (const send of [oneByOne, inOneWrite]) {
      const client = await stage.connect();
      expect(await send(client, [['MULTI'], ['SET', b, big], ['STRLEN', b], ['EXEC']])).toEqual([
        '+OK\r\n',
        '+QUEUED\r\n',
        '+QUEUED\r\n',
        `*2\r\n+OK\r\n:${big.length}\r\n`,
      ]);
      const replies = await send(client, [
        ['MULTI'],
        ['SET', b, 'small'],
        ['SET', a, big],
        ['EXEC'],
        ['STRLEN', b],
      ]);
      expect(replies[2]).toMatch(/^-ERR nearcache: 'set' is larger than/);
      expect(replies.slice(3)).toEqual([
        '-EXECABORT Transaction discarded because of previous errors.\r\n',
        `:${big.length}\r\n`,
      ]);
    }
  });

  test('is refused where its shard is not known before it is here', async () => {
    const client = await stage.connect();
    const replies = await oneByOne(client, [
      ['MSET', stage.keys[0], big, stage.keys[1], 'v'],
      ['EXISTS', stage.keys[0]],
    ]);
    expect(replies[0]).toMatch(/^-ERR nearcache: 'mset' is larger than/);
    expect(replies[1]).toBe(':0\r\n');
    const aborted = await oneByOne(client, [
      ['MULTI'],
      ['MSET', stage.keys[0], big],
      ['SET', stage.keys[0], 'v'],
      ['EXEC'],
    ]);
    expect(aborted[1]).toMatch(/^-ERR nearcache: 'mset' is larger than/);
    expect(aborted[3]).toMatch(/^-EXECABORT /);
  });
});
