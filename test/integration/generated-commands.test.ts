import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateCommands } from '../../scripts/generate-commands.ts';
import type { CommandDescription } from '../../src/command/spec.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

interface Data {
  readonly server: string;
  readonly commands: readonly CommandDescription[];
}

const committed: URL = new URL('../../src/command/commands.generated.json', import.meta.url);

describe('the committed description of commands', () => {
  let server: RedisServer;
  let redis: Redis;
  let text: string;

  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
    text = await readFile(committed, 'utf8');
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('is what the generator writes for a server of that version, and finds keys as any other version does', async () => {
    const actual = await generateCommands(redis);
    const ours = JSON.parse(text) as Data;
    const theirs = JSON.parse(actual) as Data;
    if (ours.server === theirs.server) expect(text).toBe(actual);
    else expect(keyPositions(ours, theirs)).toEqual(keyPositions(theirs, ours));
  });
});

/** Where the keys are, of each command of `data` that `other` knows too. Arity and access may grow with versions. */
function keyPositions(data: Data, other: Data): Record<string, unknown> {
  const known = new Set(other.commands.map((command) => command.name));
  const shared = data.commands.filter((command) => known.has(command.name));
  return Object.fromEntries(
    shared.map(({ name, keySpecs = [] }) => [name, keySpecs.map((spec) => ({ ...spec, access: undefined }))]),
  );
}
