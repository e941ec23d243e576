// One nearcache in front of several Redis processes: what the rules of the path and of coherence ask of it then.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { Client, type Outcome } from './history/client.ts';
import { RingBackend } from './history/ring-backend.ts';

let backend: RingBackend;
let nearcache: Nearcache;

beforeAll(async () => {
  backend = await RingBackend.start(2, () => 0.5);
  nearcache = await startNearcache({ upstream: backend.upstream });
});

afterAll(async () => {
  await nearcache?.kill();
  await backend?.stop();
});

test('an MGET that waits for its turn is answered from the database it was asked in', async () => {
  const client = await Client.connect(nearcache.port, { proto: 3, db: 0 });
  const read = ['MGET', '{t}a', '{t}b'];
  for (const db of ['0', '1']) {
    await client.call('SELECT', db);
    await client.call('MSET', '{t}a', `a${db}`, '{t}b', `b${db}`);
  }
  // Only now: a write of a key ends what is cached of it in every database.
  for (const db of ['1', '0']) {
    await client.call('SELECT', db);
    for (let i = 0; i < 2; i++) expect((await client.call(...read)).reply).toEqual([`a${db}`, `b${db}`]);
  }
  const outcomes = await Promise.all(client.send([['GET', 'not cached'], read, ['SELECT', '1'], read]));
  expect(outcomes.map(({ reply }: Outcome) => reply)).toEqual([null, ['a0', 'b0'], 'OK', ['a1', 'b1']]);
  client.close();
});
