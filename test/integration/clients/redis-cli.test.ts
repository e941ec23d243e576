import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { type Program, runProgram, startProgram } from '../../support/program.ts';
import { encodeRequest } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

let server: RedisServer;
let nearcache: Nearcache;
const running: Program[] = [];

beforeAll(async () => {
  server = await startRedis();
  nearcache = await startNearcache({ upstream: server.port });
});

afterAll(async () => {
  await nearcache.stop();
  await server.stop();
});

beforeEach(async () => {
  await cli(server, ['FLUSHALL']);
});

afterEach(async () => {
  for (const program of running.splice(0)) {
    program.child.kill('SIGKILL');
    await program.ended;
  }
});

/** Runs redis-cli to its end; its output, once it is known to have succeeded. */
async function cli(
  { port }: { port: number },
  args: readonly string[],
  input?: string | Buffer,
): Promise<string> {
  const result = await runProgram('redis-cli', ['-p', String(port), ...args], input);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.stdout;
}

/** Starts redis-cli with a command that never ends by itself, and waits for its first output. */
async function follow(args: readonly string[], first: string): Promise<Program> {
  const program = startProgram('redis-cli', ['-p', String(nearcache.port), ...args]);
  running.push(program);
  await expect.poll(() => program.stdout).toContain(first);
  return program;
}

describe.each(['-2', '-3'])('redis-cli %s', (version) => {
  test('prints what it prints at Redis itself', async () => {
    const script = [
      'SET greeting "hello \\x00 world"',
      'GET greeting',
      'GET greeting',
      'HSET user name ann age 7',
      'HGETALL user',
      'HGETALL user',
      'ZADD scores 1.5 ann 2 bob',
      'ZRANGE scores 0 -1 WITHSCORES',
      'ZSCORE scores ann',
      'SADD tags one',
      'SMEMBERS tags',
      'GET absent',
      'LPUSH greeting x',
      'NOSUCH command',
      'GET',
      'SELECT 3',
      'DBSIZE',
      'SELECT 0',
      'MULTI',
      'INCR n',
      'HGETALL user',
      'EXEC',
      'EVAL "return {1, redis.call(\'GET\', KEYS[1])}" 1 n',
      'DEBUG JMAP',
      'OBJECT ENCODING n',
      'CONFIG GET maxmemory',
      'XADD log 1-1 f v',
      'XRANGE log - +',
      'FLUSHALL',
    ].join('\n');

    const through = await cli(nearcache, [version], script);

    expect(through).toBe(await cli(server, [version], script));
    expect(through).toContain('hello');
  });

  test('inserts masses of keys with --pipe', async () => {
    const count = 50_000;
    const requests = Array.from({ length: count }, (_, i) =>
      encodeRequest(['SET', `mass:${i}`, `value ${i}`]),
    );

    const output = await cli(nearcache, [version, '--pipe'], Buffer.concat(requests));

    expect(output).toContain(`errors: 0, replies: ${count}`);
    expect(await cli(server, ['DBSIZE'])).toBe(`${count}\n`);
    expect(await cli(server, ['GET', `mass:${count - 1}`])).toBe(`value ${count - 1}\n`);
  });

  test('scans, and samples for big keys', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `key:${i}`);
    await cli(server, ['MSET', ...names.flatMap((name) => [name, 'v'])]);
    await cli(server, ['RPUSH', 'longest', ...names]);

    const scanned = await cli(nearcache, [version, '--scan', '--pattern', 'key:*']);
    const sampled = await cli(nearcache, [version, '--bigkeys']);

    expect(scanned.trim().split('\n').toSorted()).toEqual(names.toSorted());
    expect(sampled).toContain('Sampled 301 keys in the keyspace!');
    expect(sampled).toMatch(/Biggest\s+list found '?"longest"'? has 300 items/);
  });

  test('shows what MONITOR sees', async () => {
    const monitor = await follow([version, 'MONITOR'], 'OK');

    await cli(nearcache, ['SET', 'watched', 'by monitor']);

    await expect.poll(() => monitor.stdout).toContain('"SET" "watched" "by monitor"');
  });

  test('prints the messages of its subscriptions', async () => {
    const channel = await follow([version, 'SUBSCRIBE', 'news'], 'subscribe');
    const pattern = await follow([version, 'PSUBSCRIBE', 'n*'], 'psubscribe');

    expect(await cli(nearcache, ['PUBLISH', 'news', 'good news'])).toBe('2\n');

    await expect.poll(() => channel.stdout).toContain('good news');
    await expect.poll(() => pattern.stdout).toContain('good news');
  });

  test('waits for an element that another client pushes', async () => {
    const waiting = startProgram('redis-cli', ['-p', String(nearcache.port), version, 'BLPOP', 'queue', '0']);
    running.push(waiting);
    await expect.poll(() => cli(server, ['INFO', 'clients'])).toContain('blocked_clients:1');

    await cli(nearcache, ['RPUSH', 'queue', 'job']);

    expect(await waiting.ended).toEqual({ code: 0, stdout: 'queue\njob\n', stderr: '' });
  });
});

test('redis-cli measures latency', async () => {
  expect(await cli(nearcache, ['--latency', '--raw', '-i', '1'])).toMatch(/^\d+ \d+ [\d.]+ \d+\n$/);
});
