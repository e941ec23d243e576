// DESIGN rule 10: errors of arity and of unknown commands are Redis's own, since servers differ.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { say, Sidecar } from '../../support/sidecar.ts';

let sidecar: Sidecar;

beforeAll(async () => {
  // A server whose commands are not those of the table: no GET, another DEL, and a command of its own.
  sidecar = await Sidecar.start({
    redisArgs: ['--rename-command', 'GET', '', '--rename-command', 'DEL', 'erase'],
  });
});
afterEach(() => sidecar.endSessions());
afterAll(() => sidecar.stop());

const wrong: string[][] = [
  ['GET', 'k'],
  ['GET'],
  ['GET', 'a', 'b'],
  ['DEL', 'k'],
  ['DEL'],
  ['ERASE'],
  ['ERASE', 'k'],
  ['NOSUCH', 'a', 'b'],
  ['SET'],
  ['SET', 'k'],
  ['STRLEN'],
  ['STRLEN', 'a', 'b'],
  ['BLPOP', 'k'],
  ['EVAL', 'return 1'],
  ['XREAD', 'STREAMS', 'k'],
  ['PING', 'a', 'b'],
  ['ECHO'],
  ['SELECT'],
  ['SELECT', 'x'],
  ['SELECT', '99'],
  ['CLIENT', 'NOSUCH'],
  ['CLIENT', 'SETNAME'],
  ['CLIENT', 'UNBLOCK', 'x'],
  ['OBJECT', 'NOSUCH', 'k'],
  ['WATCH'],
  ['EXEC'],
  ['EXEC', 'a'],
  ['MULTI', 'a'],
  ['SUBSCRIBE'],
  ['FLUSHALL', 'NOW'],
];

test.each(wrong.map((args) => [args.join(' '), args] as const))(
  '%s is answered as Redis answers it',
  async (_, args) => {
    const app = await sidecar.app();
    expect(await say(app, ...args)).toBe(await say(sidecar.direct, ...args));
  },
);

test('a command that the server has not is refused inside a transaction as Redis refuses it', async () => {
  const app = await sidecar.app();
  for (const client of [app, sidecar.direct]) {
    client.request(['MULTI']);
    client.request(['GET', 'k']);
    client.request(['EXEC']);
  }
  expect((await app.readFrames(3)).map(String)).toEqual((await sidecar.direct.readFrames(3)).map(String));
});
