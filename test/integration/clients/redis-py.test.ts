import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../../src/drill/servers/nearcache-process.ts';
import { runProgram } from '../../support/program.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';

/** Debian's own Python, for which its python3-redis is. */
const python = '/usr/bin/python3';
const app = fileURLToPath(new URL('redis_py_app.py', import.meta.url));

let server: RedisServer;
let nearcache: Nearcache;

beforeAll(async () => {
  server = await startRedis();
  nearcache = await startNearcache({ upstream: server.port });
});

afterAll(async () => {
  await nearcache.stop();
  await server.stop();
});

test('redis-py works unchanged', async () => {
  const found = await runProgram(python, ['-c', 'import redis']).catch(String);
  expect(found, 'this test needs redis-py: apt-get install python3-redis').toMatchObject({ code: 0 });

  const { code, stderr } = await runProgram(python, [app, String(nearcache.port)]);

  const count = readFileSync(app, 'utf8').split('def test_').length - 1;
  expect(stderr).toMatch(new RegExp(`Ran ${count} tests in .*\\n\\nOK\\n$`));
  expect(code).toBe(0);
});
